"""Idempotency-Key on every POST of the API: a repeat gets the first answer, and nothing happens twice."""

import hashlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http import HTTPStatus

from django.db import connection, transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from web.models import IdempotentAnswer
from web.problems import problem

KEPT_FOR = timedelta(hours=24)
WITHHELD = "withheld"  # in the place of a content type: this answer is never kept, only that it was given
# A request that died without an answer must not block its key for long.
ANSWER_WITHIN = timedelta(minutes=10)


# Whether the credentials of a repeat still open anything; the room that knows tokens registers it.
admits: list[Callable[[HttpRequest], bool]] = []

# Acts that are rows alone: each room names the addresses of its own at start-up.
_acts: list[re.Pattern[str]] = []
ONE_WRITER = threading.Lock()

LOOK_EVERY = 60.0  # seconds
_looked = -LOOK_EVERY

# By hand, for each act pays for them; the unique key settles who was first.
CLAIM = (
    "INSERT INTO web_idempotentanswer"
    ' (caller, "key", fingerprint, content_type, location, body, created_at)'
    " VALUES (%s, %s, %s, '', '', %s, %s) ON CONFLICT DO NOTHING RETURNING id"
)
KEEP = (
    "UPDATE web_idempotentanswer SET status = %s, content_type = %s, location = %s, body = %s WHERE id = %s"
)


def register_acts(*addresses: str) -> None:
    """Patterns of addresses whose act and its kept answer are one transaction."""
    _acts.extend(map(re.compile, addresses))


class IdempotencyMiddleware:
    """Answers that are a client's to correct or ours to mend (4xx, 5xx) are not kept: the repeat tries again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        key = request.headers.get("Idempotency-Key", "")
        if not key or request.method != "POST" or not request.path_info.startswith("/api/"):
            return self.get_response(request)
        if len(key) > 255:
            return problem(400, "bad-idempotency-key", _("An Idempotency-Key has at most 255 characters."))
        if any(act.fullmatch(request.path_info) for act in _acts):
            return answer_together(request, key, self.get_response)
        return answer_once(request, key, self.get_response)


def answer_together(
    request: HttpRequest, key: str, get_response: Callable[[HttpRequest], HttpResponse]
) -> HttpResponse:
    """As `answer_once`, with the key, the act and its answer in one transaction: a repeat finds all or none.

    The body is read before, so that nobody's slow line holds up the others' acts.
    """
    _ = request.body

    def whole(request: HttpRequest) -> HttpResponse:
        try:
            response = get_response(request)
        except BaseException:
            transaction.set_rollback(True)
            raise
        if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            transaction.set_rollback(True)
        return response

    with in_line(), transaction.atomic():
        return answer_once(request, key, whole)


@contextmanager
def in_line() -> Iterator[None]:
    """SQLite's waiting writers sleep and try again, some for very long; those of one process wait in line here."""
    if connection.vendor != "sqlite":
        yield
        return
    with ONE_WRITER:
        yield


def answer_once(
    request: HttpRequest, key: str, get_response: Callable[[HttpRequest], HttpResponse]
) -> HttpResponse:
    """The answer to this key: the kept one, or a new one. Pages with acts of their own call it too."""
    caller, fingerprint = caller_of(request), fingerprint_of(request)
    forget_old()
    claimed = claim(caller, key, fingerprint)
    if claimed is None:
        if not all(admit(request) for admit in admits):
            return get_response(request)  # refused there, as any request with these credentials is
        return repeated(caller, key, fingerprint)
    try:
        response = get_response(request)
    except BaseException:
        release(claimed)
        raise
    if response.status_code >= 400 or response.streaming:
        release(claimed)
    else:
        keep(claimed, response)
    return response


def claim(caller: str, key: str, fingerprint: str) -> int | None:
    """A row for this key, or None where there is one; waits for a request with the same key that is not committed."""
    sent = [caller, key, fingerprint, b"", connection.ops.adapt_datetimefield_value(timezone.now())]
    for _again in range(2):
        with connection.cursor() as cursor:
            cursor.execute(CLAIM, sent)
            if made := cursor.fetchone():
                return int(made[0])
        if not forget(caller, key):
            break
    return None


def release(claimed: int) -> None:
    """The key may be used again; where all is rolled back, its row goes with the rest."""
    if not (connection.in_atomic_block and transaction.get_rollback()):
        IdempotentAnswer.objects.filter(pk=claimed).delete()


def keep(claimed: int, response: HttpResponse) -> None:
    """Keep the answer for a repeat; of one that may not be stored (it shows a secret) only that it was given."""
    withheld = "no-store" in response.headers.get("Cache-Control", "")
    kind = WITHHELD if withheld else response.headers.get("Content-Type", "")
    body = b"" if withheld else response.content
    location = response.headers.get("Location", "")
    with connection.cursor() as cursor:
        cursor.execute(KEEP, [response.status_code, kind, location, body, claimed])


def caller_of(request: HttpRequest) -> str:
    """Whose key it is: hashed credentials, so that no secret is kept and no two callers share keys."""
    credentials = request.headers.get("Authorization") or request.headers.get("X-Auth-Token")
    return hashlib.sha256((credentials or f"user:{request.user.pk}").encode()).hexdigest()


def fingerprint_of(request: HttpRequest) -> str:
    """Method, path and length with, for small bodies, the content (uploads are not read twice)."""
    digest = hashlib.sha256(
        f"{request.method} {request.get_full_path()} {request.headers.get('Content-Length')}".encode()
    )
    if request.content_type == "application/json":
        digest.update(request.body)
    return digest.hexdigest()


def forget_old() -> None:
    """Keys live for a day; each process looks now and then, not with each request."""
    global _looked  # noqa: PLW0603
    if time.monotonic() - _looked > LOOK_EVERY:
        _looked = time.monotonic()
        IdempotentAnswer.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()


def forget(caller: str, key: str) -> bool:
    """Whether this key is free by now: a day old, or its request never answered for ten minutes."""
    now = timezone.now()
    waited = Q(status=None, created_at__lt=now - ANSWER_WITHIN)
    old = IdempotentAnswer.objects.filter(waited | Q(created_at__lt=now - KEPT_FOR), caller=caller, key=key)
    return bool(old.delete()[0])


def repeated(caller: str, key: str, fingerprint: str) -> HttpResponse:
    """What a second request with the same key gets."""
    row = IdempotentAnswer.objects.filter(caller=caller, key=key).first()
    if row is None or row.status is None:
        return problem(409, "in-progress", _("A request with this Idempotency-Key is still being answered."))
    if row.fingerprint != fingerprint:
        return problem(422, "key-reused", _("This Idempotency-Key was used for another request."))
    if row.content_type == WITHHELD:
        return problem(409, "answered-once", _("This was answered before, with a secret that is not kept."))
    answer = HttpResponse(bytes(row.body), status=row.status, content_type=row.content_type)
    answer["Idempotent-Replayed"] = "true"
    if row.location:
        answer["Location"] = row.location
    return answer
