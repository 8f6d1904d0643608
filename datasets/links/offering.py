"""An import's links as files that are fetched when they are asked for, several ahead, a few at a time a server."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

from datasets.archives import Offered
from datasets.formats.documents import Said
from datasets.links.fetching import fetch
from datasets.links.lists import name_of, unpacked
from datasets.reasons import NotAccepted

THREADS, AHEAD, A_SERVER = 8, 12, 2
LOOK_EVERY = 1.0


@contextmanager
def link_offers(path: Path, check: Callable[[], None]) -> Iterator[list[Offered]]:
    """The links of a kept list, in its order. `check` is called while one waits, and may raise to stop."""
    fetching = Fetching(unpacked(path.read_bytes()), check)
    try:
        yield [
            Offered(name_of(each.path) or f"{each.row}", each.label or "", fetching.loader(at), each.split)
            for at, each in enumerate(fetching.links)
        ]
    finally:
        fetching.close()


class Fetching:
    """Fetches ahead of who reads. Whoever begins in the middle (after a crash) fetches nothing before it."""

    def __init__(self, links: Sequence[Said], check: Callable[[], None]) -> None:
        self.links, self._check = links, check
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="links")
        self._coming: dict[int, Future[bytes]] = {}
        servers = {server_of(each.path) for each in links}
        self._servers = {each: threading.Semaphore(A_SERVER) for each in servers}
        self._first: dict[str, int] = {}
        for each in links:
            self._first.setdefault(each.path, each.row)

    def loader(self, at: int) -> Callable[[], bytes]:
        """What gives the bytes of one, once."""
        return lambda: self._load(at)

    def _load(self, at: int) -> bytes:
        for ahead in range(at, min(at + AHEAD, len(self.links))):
            if ahead not in self._coming:
                self._coming[ahead] = self._pool.submit(self._fetch, self.links[ahead])
        coming = self._coming[at]
        while True:
            self._check()
            try:
                return coming.result(timeout=LOOK_EVERY)
            except TimeoutError:
                if coming.done():
                    raise
            finally:
                if coming.done():
                    self._coming[at] = _taken()

    def _fetch(self, link: Said) -> bytes:
        if link.problem:
            raise NotAccepted(link.problem, row=link.row, manifest="", path=link.path)
        if self._first[link.path] != link.row:
            raise NotAccepted("link-again", row=link.row, first=self._first[link.path])
        if not settings.LINKS:
            raise NotAccepted("links-off")
        with self._servers[server_of(link.path)]:
            return fetch(link.path, row=link.row)

    def close(self) -> None:
        """What was not begun is not fetched."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def server_of(link: str) -> str:
    """Who is asked for it; only for being polite, so a link that cannot be read has none."""
    try:
        return urlsplit(link).netloc.lower()
    except ValueError:
        return ""


def _taken() -> "Future[bytes]":
    """In the place of bytes that were read, so that they are not kept."""
    empty: Future[bytes] = Future()
    empty.set_result(b"")
    return empty
