"""Sends notices, by e-mail and to webhooks: on the quick queue, again and again with growing pauses."""

import contextlib
import json
import smtplib
import threading
import time
from datetime import timedelta
from http.client import HTTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop
from urllib3.exceptions import HTTPError
from urllib3.exceptions import SSLError as TLSError

from jobs.attempts import Attempt
from jobs.models import Queue
from jobs.queue import enqueue, enqueue_later
from jobs.registry import Kind
from projects.models import Channel, Membership, Notice, NoticeState
from projects.notices import checked, secret_of, signature, wish_of
from web import outgoing
from web.addresses import link_to
from web.outgoing import Place, pinned_to
from web.sentences import Refusal, Sentence

KIND = "notices.send"
SECONDS = 15.0  # for one call, whatever the receiver does meanwhile
# Then it is given up. None is longer than what the reconciler takes for a pause.
PAUSES = tuple(timedelta(seconds=each) for each in (10, 30, 60, 120, 240, 240, 240))


class NotDelivered(Refusal):
    """It did not arrive; another try may do better."""

    code = "not-delivered"


class Hopeless(NotDelivered):
    """It will not arrive however often it is tried."""


def queue_notice(notice: Notice) -> None:
    """Called in the transaction that made it."""
    enqueue(KIND, {"notice": notice.pk}, project=notice.project)


def send(attempt: Attempt) -> None:
    """One try. After a crash at the worst moment it is sent twice; the receiver knows it by its number."""
    found = Notice.objects.select_related("project", "user", "webhook")
    notice = found.filter(pk=attempt.payload["notice"], state=NoticeState.WAITING).first()
    if notice is None:
        return
    state, tries = NoticeState.SENT, notice.tries + 1
    try:
        answer = mail(notice) if notice.channel == Channel.MAIL else call(notice)
    except NotDelivered as reason:
        answer, hopeless = reason.sentence, isinstance(reason, Hopeless)
        state = NoticeState.GIVEN_UP if hopeless or tries > len(PAUSES) else NoticeState.WAITING
    with transaction.atomic():
        attempt.hold()
        sent_at = timezone.now() if state == NoticeState.SENT else None
        fields = {"state": state, "tries": tries, "answer": answer.to_json(), "sent_at": sent_at}
        Notice.objects.filter(pk=notice.pk).update(**fields)
        if state == NoticeState.WAITING:
            enqueue_later(KIND, {"notice": notice.pk}, project=notice.project, pause=PAUSES[tries - 1])


SEND = Kind(KIND, Queue.QUICK, gettext_lazy("Send a notice"), send, upkeep=True)


# ---- e-mail
def mail(notice: Notice) -> Sentence:
    """To the person, in their language, if they still belong to the project and still want it."""
    user = notice.user
    wish = wish_of(user) if user else None
    member = Membership.objects.filter(project=notice.project, user=user, project__archived_at=None).exists()
    if not (user and wish and wish.mail and user.email and user.is_active and member):
        raise Hopeless(gettext_noop("Nobody wants it any more."))
    if not settings.MAIL_SERVER:
        raise Hopeless(gettext_noop("No mail server is set."))
    with translation.override(wish.language):
        message = EmailMessage(subject_of(notice), text_of(notice), to=[user.email], headers=HEADERS)
        message.extra_headers["Message-ID"] = (
            f"<notice-{notice.pk}@{settings.DEFAULT_FROM_EMAIL.split('@')[-1]}>"
        )
    try:
        message.send()
    except (smtplib.SMTPException, OSError) as error:
        raise NotDelivered(gettext_noop("The mail server did not take it.")) from error
    return Sentence(gettext_noop("Sent."))


HEADERS = {"Auto-Submitted": "auto-generated"}


def subject_of(notice: Notice) -> str:
    """One line, whatever people put into names."""
    return " ".join(str(Sentence.from_json(notice.subject)).split())


def text_of(notice: Notice) -> str:
    """What happened, where to look, and how to get no more of these."""
    said = [str(Sentence.from_json(each)) for each in notice.body.get("say", [])]
    end = _("You wanted to be told when a training ends. To end these e-mails:")
    return "\n\n".join(
        [*said, notice.body["url"], f"-- \n{notice.project.name} · Taxon\n{end}\n{link_to('notices')}"]
    )


# ---- webhooks
def call(notice: Notice) -> Sentence:
    """A signed POST to the very address that was checked. Redirects are not followed, answers not kept."""
    webhook = notice.webhook
    if webhook is None or notice.project.archived_at:
        raise Hopeless(gettext_noop("Nobody wants it any more."))
    if not settings.WEBHOOKS:
        raise Hopeless(gettext_noop("Webhooks were switched off on this installation."))
    place = place_of(webhook.url)
    facts = {key: value for key, value in notice.body.items() if key != "say"}
    body = json.dumps({"id": notice.pk, **facts}, ensure_ascii=False).encode()
    now = int(time.time())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Taxon",
        "Taxon-Event": str(facts["event"]),
        "Taxon-Delivery": str(notice.pk),
        "Taxon-Signature": signature(secret_of(webhook), now, body),
    }
    status = answered(place, body, headers)
    if not 200 <= status < 300:
        raise NotDelivered(gettext_noop("%(host)s answered %(status)s."), host=place.host, status=status)
    return Sentence(gettext_noop("%(host)s answered %(status)s."), host=place.host, status=status)


def place_of(url: str) -> Place:
    """Resolve once and check. Raises NotDelivered; Hopeless where the address is not for webhooks."""
    try:
        found = outgoing.parsed(checked(url))
    except Refusal as refusal:  # the operator closed the port since
        raise Hopeless(refusal.sentence.text, **refusal.sentence.values) from refusal
    assert found is not None
    scheme, host, port, path = found
    addresses = outgoing.resolve(host, port)
    if not addresses:
        raise NotDelivered(gettext_noop("There is no server called %(host)s."), host=host)
    if not all(map(outgoing.may_be_reached, addresses)):  # a name with one private address is a trap
        says = gettext_noop("%(host)s is not on the public internet; the operator can open its network.")
        raise Hopeless(says, host=host)
    return Place(scheme, host, port, addresses[0], path)


def answered(place: Place, body: bytes, headers: dict[str, str]) -> int:
    """The status of the answer, within the time. Raises NotDelivered."""
    connection = pinned_to(place, patience=SECONDS)
    alarm = threading.Timer(SECONDS, connection.cut)
    alarm.daemon = True
    alarm.start()
    try:
        connection.request("POST", place.path, body=body, headers=headers, preload_content=False)
        with contextlib.closing(connection.getresponse()) as response:
            return int(response.status)
    except TLSError as error:
        says = gettext_noop("%(host)s does not prove who it is (its certificate is not valid).")
        raise NotDelivered(says, host=place.host) from error
    except (HTTPError, HTTPException, OSError, ValueError) as error:
        raise NotDelivered(gettext_noop("%(host)s did not answer."), host=place.host) from error
    finally:
        alarm.cancel()
        connection.let_go()
