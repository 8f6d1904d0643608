"""A line that loses answers: the server has done the work, and the caller never hears of it."""

import random
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class LosingProxy:
    """Passes one HTTP request at a time through; of so many answers it lets some vanish, closing the line."""

    def __init__(self, port: int, share: float, seed: int) -> None:
        self.target, self.share, self.dice = port, share, random.Random(seed)
        self.passed = self.lost = 0
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = int(self.listener.getsockname()[1])

    def serve(self) -> None:
        """Until the listener is closed."""
        with suppress(OSError):
            while True:
                threading.Thread(target=self.answer, args=(self.listener.accept()[0],), daemon=True).start()

    def answer(self, caller: socket.socket) -> None:
        """One caller's requests, over a fresh line to the server each."""
        with suppress(OSError), caller:
            while request := read_message(caller):
                with socket.create_connection(("127.0.0.1", self.target), timeout=120) as server:
                    server.sendall(request)
                    response = read_message(server)
                with self.lock:
                    lose = self.dice.random() < self.share
                    self.lost, self.passed = self.lost + lose, self.passed + (not lose)
                if lose:
                    return
                caller.sendall(response)


def read_message(source: socket.socket) -> bytes:
    """Head and as much body as its Content-Length says; nothing where the line was closed."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := source.recv(65536)):
            return b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    wanted = int(lengths[0].split(b":")[1]) if lengths else 0
    while len(body) < wanted:
        body += source.recv(65536)
    return head + b"\r\n\r\n" + body


@contextmanager
def losing(port: int, share: float, seed: int = 1) -> Iterator[LosingProxy]:
    """Stands before the server at this port."""
    proxy = LosingProxy(port, share, seed)
    threading.Thread(target=proxy.serve, daemon=True).start()
    try:
        yield proxy
    finally:
        proxy.listener.close()
