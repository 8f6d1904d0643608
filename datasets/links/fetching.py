"""Fetches one link: from the very address that was checked, bounded in bytes, hops and time."""

import contextlib
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException
from urllib.parse import urljoin

from django.conf import settings
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError
from urllib3.exceptions import SSLError as TLSError
from urllib3.response import BaseHTTPResponse

from datasets.links.addresses import Place, place_of
from datasets.reasons import NotAccepted
from web.outgoing import SILENCE, pinned_to

SECONDS = 20.0  # for a link, whatever it does meanwhile
MOST_HOPS = 5
PIECE = 64 * 1024
HEADERS = {"User-Agent": "Taxon", "Accept": "image/*,*/*;q=0.5", "Accept-Encoding": "identity"}
REDIRECTS, GONE, FORBIDDEN, BUSY = (
    {301, 302, 303, 307, 308},
    {404, 410},
    {401, 402, 403, 407, 451},
    {429, 503},
)
NOT_PICTURES = ("text/html", "application/xhtml")


@dataclass
class Watch:
    """The time that a link has left."""

    ends: float

    @property
    def left(self) -> float:
        """Seconds."""
        return self.ends - time.monotonic()

    @property
    def over(self) -> bool:
        """Whether it had its time."""
        return self.left <= 0


def fetch(url: str, *, row: int = 0) -> bytes:
    """The picture's bytes, at most as many as a picture may have. Raises NotAccepted."""
    watch = Watch(time.monotonic() + SECONDS)
    for _ in range(MOST_HOPS + 1):
        place = place_of(url, row=row)
        if watch.over:
            raise too_slow(place)
        with asked(place, watch) as response:
            if response.status in REDIRECTS and response.headers.get("Location"):
                url = urljoin(place.url, response.headers["Location"])
                continue
            refuse_status(place, response)
            return body_of(place, response, watch)
    raise NotAccepted("link-hops", most=MOST_HOPS)


def too_slow(place: Place) -> NotAccepted:
    """It had its time."""
    return NotAccepted("link-too-slow", host=place.host, seconds=f"{SECONDS:g}")


@contextlib.contextmanager
def asked(place: Place, watch: Watch) -> Iterator[BaseHTTPResponse]:
    """The answer to a GET, its body still to be read; every way that this can fail is a NotAccepted."""
    patience = min(SILENCE, max(watch.left, 0.1))
    connection = pinned_to(place, patience=patience)
    alarm = threading.Timer(max(watch.left, 0.1), connection.cut)
    alarm.daemon = True
    alarm.start()
    try:
        connection.request("GET", place.path, headers=HEADERS, preload_content=False, decode_content=False)
        with contextlib.closing(connection.getresponse()) as response:
            yield response
    except NotAccepted:
        raise
    except (ssl.SSLError, TLSError) as error:
        raise too_slow(place) if watch.over else NotAccepted("link-not-secure", host=place.host) from error
    except (ConnectTimeoutError, NewConnectionError) as error:
        raise too_slow(place) if watch.over else NotAccepted("link-no-answer", host=place.host) from error
    except TimeoutError as error:
        raise too_slow(place) from error
    except (HTTPError, HTTPException, OSError, ValueError) as error:
        raise too_slow(place) if watch.over else NotAccepted("link-cut-short", host=place.host) from error
    finally:
        alarm.cancel()
        connection.let_go()


def refuse_status(place: Place, response: BaseHTTPResponse) -> None:
    """Raises NotAccepted for anything but a picture on its way."""
    status = response.status
    if status == 200:
        if response.headers.get("Content-Type", "").lower().startswith(NOT_PICTURES):
            raise NotAccepted("link-is-a-page")
        return
    codes = [(GONE, "link-gone"), (FORBIDDEN, "link-forbidden"), (BUSY, "link-busy")]
    code = next((code for statuses, code in codes if status in statuses), "link-failed")
    raise NotAccepted(code, host=place.host, status=status)


def body_of(place: Place, response: BaseHTTPResponse, watch: Watch) -> bytes:
    """The body, piece by piece. Raises NotAccepted where it is too long or too slow."""
    most = settings.MAX_FILE_BYTES
    declared = response.headers.get("Content-Length", "")
    if declared.isdecimal() and int(declared) > most:
        raise too_long()
    pieces, size = list[bytes](), 0
    while piece := response.read1(PIECE):  # what has come, so that a trickle cannot outlast the time
        size += len(piece)
        if size > most:
            raise too_long()
        if watch.over:
            raise too_slow(place)
        pieces.append(piece)
    if watch.over:
        raise too_slow(place)
    if declared.isdecimal() and size < int(declared):
        raise NotAccepted("link-cut-short", host=place.host)
    return b"".join(pieces)


def too_long() -> NotAccepted:
    """More than a picture may have."""
    return NotAccepted("too-many-bytes", limit_mb=f"{settings.MAX_FILE_BYTES / 1024**2:g}")
