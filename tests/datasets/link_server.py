"""A web server for the tests of links: pictures, and everything a server can do wrong."""

import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.datasets.makers import colours


@dataclass
class Served:
    """A running server. `pages` may be filled: path → (status, headers, body); `hits` counts what was asked."""

    port: int
    scheme: str = "http"
    pages: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    hits: "Counter[str]" = field(default_factory=Counter)
    hosts: "Counter[str]" = field(default_factory=Counter)
    at_once: int = 0
    most_at_once: int = 0
    waiting: threading.Lock = field(default_factory=threading.Lock)  # += of two threads is not one step

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        """The link to a page of it."""
        return f"{self.scheme}://{host}:{self.port}{path}"


def handler_of(served: Served) -> type[BaseHTTPRequestHandler]:
    """What answers."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: object) -> None:
            """Quiet."""

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            served.hits[self.path] += 1
            served.hosts[self.headers["Host"]] += 1
            try:
                self.close_connection = True
                getattr(self, f"do_{path.strip('/').replace('-', '_')}", self.page)()
            except OSError:
                pass

        def page(self) -> None:
            status, headers, body = served.pages.get(self.path.partition("?")[0], (404, {}, b"no"))
            self.answer(status, headers | {"Content-Length": str(len(body))})
            self.wfile.write(body)

        def answer(self, status: int, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def do_silent(self) -> None:
            time.sleep(5)

        def do_trickle(self) -> None:
            self.answer(200, {"Content-Type": "image/png"})
            for _ in range(100):
                self.wfile.write(b"x")
                time.sleep(0.1)

        def do_slow_headers(self) -> None:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            for _ in range(100):
                self.wfile.write(b"X-A: b\r\n")
                time.sleep(0.1)

        def do_endless(self) -> None:
            self.answer(200, {"Content-Type": "image/png"})
            while True:
                self.wfile.write(b"x" * 65536)

        def do_short(self) -> None:
            self.answer(200, {"Content-Length": "1000"})
            self.wfile.write(b"x" * 10)

        def do_garbage(self) -> None:
            self.wfile.write(b"\x00\x01 not http at all\r\n\r\n")

        def do_a_little_slow(self) -> None:
            with served.waiting:
                served.at_once += 1
                served.most_at_once = max(served.most_at_once, served.at_once)
            time.sleep(0.2)
            with served.waiting:  # before the answer: who has read it may ask again before this thread wakes
                served.at_once -= 1
            self.answer(404, {"Content-Length": "0"})

    return Handler


@contextmanager
def serving(pictures: int = 3, certificate: Path | None = None) -> Iterator[Served]:
    """A server on this machine with /0.png, /1.png …"""
    served = Served(0)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(served))
    server.daemon_threads = True
    served.port = server.server_address[1]
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        served.scheme = "https"
    for number, content in enumerate(colours(pictures)):
        served.pages[f"/{number}.png"] = (200, {"Content-Type": "image/png"}, content)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
