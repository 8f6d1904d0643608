"""An S3 server for tests (moto, in a process of its own), and a network before it that can be made bad."""

import os
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from web.storage import storage_settings

BUCKET = "taxon-tests"
REFUSALS = {"denied": "InvalidAccessKeyId", "skewed": "RequestTimeTooSkewed"}  # a key revoked, a clock wrong
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "tests",
    "AWS_SECRET_ACCESS_KEY": "tests-secret",
    "AWS_DEFAULT_REGION": "us-east-1",
}


def free_port() -> int:
    """A port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving_s3() -> Iterator[str]:
    """The address of a fresh S3 with our bucket in it; credentials are in the environment meanwhile."""
    import boto3

    port = free_port()
    program = Path(sys.executable).with_name("moto_server")
    command = [str(program), "-H", "127.0.0.1", "-p", str(port)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    before = {name: os.environ.get(name) for name in CREDENTIALS}
    os.environ.update(CREDENTIALS)
    server = subprocess.Popen(command, **quiet)  # type: ignore[call-overload]
    endpoint = f"http://127.0.0.1:{port}"
    try:
        wait_for(port)
        client = boto3.client("s3", endpoint_url=endpoint)
        client.create_bucket(Bucket=BUCKET)
        client.close()
        yield endpoint
    finally:
        server.terminate()
        server.wait(10)
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def wait_for(port: int) -> None:
    """Until somebody listens."""
    for _ in range(200):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError("moto did not start")


def entry(endpoint: str, prefix: str) -> dict[str, Any]:
    """What stands in STORAGES for a prefix of the bucket."""
    return storage_settings(f"s3://{BUCKET}/{prefix}", Path("/nowhere"), endpoint)


@dataclass
class BadNetwork:
    """Passes bytes on to S3, as `mood` has it: well, refused, silent, cut, or an answer of its own.

    `after`: bytes of the server's answer (`cut`) or of the client's request (`cut-request`) that pass.
    """

    target: int
    mood: str = "well"
    after: int = 0
    times: int = 10**9
    connections: int = 0
    _open: list[socket.socket] = field(default_factory=list)

    def be(self, mood: str, *, after: int = 0, times: int = 10**9) -> None:
        """Change; connections that are open end."""
        self.mood, self.after, self.times = mood, after, times
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def take_turn(self) -> str:
        """How this connection will fare."""
        self.connections += 1
        if self.mood == "well" or self.times <= 0:
            return "well"
        self.times -= 1
        return self.mood

    def serve(self, client: socket.socket) -> None:
        """One connection."""
        mood = self.take_turn()
        self._open.append(client)
        if mood == "refused":
            return
        if mood == "silent":
            while self.mood == "silent":
                time.sleep(0.05)
            return
        if mood == "error":
            answer(client, 500, "InternalError")
            return
        if mood in REFUSALS:
            answer(client, 403, REFUSALS[mood])
            return
        with socket.create_connection(("127.0.0.1", self.target)) as server:
            self._open.append(server)
            up = threading.Thread(
                target=pump, args=(client, server, self.after if mood == "cut-request" else None), daemon=True
            )
            up.start()
            pump(server, client, self.after if mood == "cut" else None)


def answer(client: socket.socket, status: int, code: str) -> None:
    """An S3 error, whatever was asked."""
    client.recv(65536)
    body = f"<Error><Code>{code}</Code><Message>no</Message></Error>"
    head = f"HTTP/1.1 {status} No\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    client.sendall((head + body).encode())


def pump(source: socket.socket, target: socket.socket, limit: int | None) -> None:
    """Pass on until the end, or until the limit; then both ends close."""
    passed = 0
    with suppress(OSError):
        while data := source.recv(65536):
            if limit is not None and passed + len(data) > limit:
                target.sendall(data[: limit - passed])
                break
            target.sendall(data)
            passed += len(data)
    for each in (source, target):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


@contextmanager
def bad_network(endpoint: str) -> Iterator[tuple[str, BadNetwork]]:
    """An address that leads to the S3 through the network, and the network."""
    network = BadNetwork(int(endpoint.rpartition(":")[2]))

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                network.serve(self.request)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = allow_reuse_address = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", network
        finally:
            network.be("well")
            server.shutdown()
            thread.join()
