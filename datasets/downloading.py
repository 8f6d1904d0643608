"""The zip of an export over HTTP: whole, or from where a broken line stopped (RFC 9110, section 14).

With a bucket that browsers reach it is a redirect to a signed link instead, which knows ranges too.
"""

import re
from collections.abc import Iterator
from urllib.parse import quote

from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseNotModified,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.http.response import HttpResponseBase
from django.utils.http import http_date
from django.utils.translation import gettext_noop

from datasets.exports.arranging import safe
from datasets.models import Export, ExportState
from web import storage
from web.sentences import Conflict, Refusal

LINK_SECONDS = 300  # to begin a download; one that has begun goes on
ONE_RANGE = re.compile(r"^bytes=(?=\d|-\d)(\d{0,18})-(\d{0,18})$")


class NoZip(Conflict):
    """The export did not come to a zip."""

    code = "export-failed"


class Gone(Refusal):
    """Its days are over."""

    code = "export-expired"
    status = 410


def answer_with(request: HttpRequest, found: Export) -> HttpResponseBase:
    """200, 206, 302, 304 or 416. Raises NoZip, Gone."""
    if found.state in (ExportState.FAILED, ExportState.CANCELLED):
        raise NoZip(gettext_noop("This export has no zip: %(why)s"), why=str(found.sentence))
    if not found.downloadable or storage.size_of(found.key) is None:
        raise Gone(gettext_noop("This export has expired. Export the data set again."))
    tag = f'"{found.key.rpartition("/")[2].removesuffix(".zip")}"'
    if request.headers.get("If-None-Match") == tag:
        return dressed(HttpResponseNotModified(), found, tag)
    part = wanted(request, found.bytes, tag)
    if part is None:
        answer: HttpResponseBase = HttpResponse(status=416)
        answer["Content-Range"] = f"bytes */{found.bytes}"
        return dressed(answer, found, tag)
    if link := link_elsewhere(request, found, tag):
        answer = HttpResponseRedirect(link)
        answer["Cache-Control"], answer["Referrer-Policy"] = "no-store", "no-referrer"
        return answer
    start, stop = part
    whole = (start, stop) == (0, found.bytes) and not asks_for_a_part(request, tag)
    body = storage.pieces(found.key, start, stop) if request.method != "HEAD" else nothing()
    answer = StreamingHttpResponse(body, status=200 if whole else 206, content_type="application/zip")
    answer["Content-Length"] = str(stop - start)
    if not whole:
        answer["Content-Range"] = f"bytes {start}-{stop - 1}/{found.bytes}"
    return dressed(answer, found, tag)


def link_elsewhere(request: HttpRequest, found: Export, tag: str) -> str | None:
    """A short-lived address at which the bucket hands the zip out, where the operator allows that.

    What was begun here (`If-Range` with our ETag) goes on here; HEAD is answered here too.
    """
    if request.method != "GET" or request.headers.get("If-Range") == tag:
        return None
    headers = {"Content-Disposition": disposition(found), "Content-Type": "application/zip"}
    return storage.link_to(found.key, seconds=LINK_SECONDS, headers=headers)


def nothing() -> Iterator[bytes]:
    """For HEAD."""
    yield b""


def asks_for_a_part(request: HttpRequest, tag: str) -> bool:
    """Whether a range that we understand is asked for, of this very file."""
    unless = request.headers.get("If-Range", tag)
    return unless == tag and ONE_RANGE.match(request.headers.get("Range", "").replace(" ", "")) is not None


def wanted(request: HttpRequest, size: int, tag: str) -> tuple[int, int] | None:
    """From where to where (exclusive); everything where no single range is asked for; None: there is no such."""
    if not asks_for_a_part(request, tag):
        return 0, size
    found = ONE_RANGE.match(request.headers["Range"].replace(" ", ""))
    assert found is not None
    first, last = found.groups()
    if not first:
        return (max(0, size - int(last)), size) if int(last) else None
    start, stop = int(first), min(int(last) + 1, size) if last else size
    return (start, stop) if start < size and start < stop else None


def dressed(answer: HttpResponseBase, found: Export, tag: str) -> HttpResponseBase:
    """What every answer says of the file."""
    answer["ETag"], answer["Accept-Ranges"] = tag, "bytes"
    if found.finished_at:
        answer["Last-Modified"] = http_date(found.finished_at.timestamp())
    answer["Content-Disposition"] = disposition(found)
    answer["Cache-Control"] = "private, no-transform"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def disposition(found: Export) -> str:
    """The file's name for whoever saves it, in ASCII and as it is."""
    name = f"{found.dataset.name}-{found.format}-{found.pk}.zip"
    return f"attachment; filename=\"export-{found.pk}.zip\"; filename*=UTF-8''{quote(safe(name))}"
