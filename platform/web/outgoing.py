"""Requests that this server makes to where people tell it to: addresses resolved once, checked, and pinned."""

import contextlib
import ipaddress
import socket
from dataclasses import dataclass

from django.conf import settings
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, LocationParseError, NewConnectionError
from urllib3.util import parse_url

PORTS = {"http": 80, "https": 443}
LONGEST = 2_000
SILENCE = 8.0
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# The internet proper; what embeds IPv4 (6to4, Teredo) could lead anywhere and is left out below.
GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
TUNNELS = [ipaddress.IPv6Network(each) for each in ("2002::/16", "2001::/32")]
# Not the public internet either; which of these Python knows depends on its patch level.
SPECIAL = [
    ipaddress.IPv4Network(each)
    for each in (
        "0.0.0.0/8",
        "100.64.0.0/10",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "240.0.0.0/4",
    )
]


@dataclass(frozen=True, slots=True)
class Place:
    """Where one request goes: the address that was checked, and the name that the server answers to."""

    scheme: str
    host: str
    port: int
    address: str
    path: str

    @property
    def url(self) -> str:
        """Itself as a link, to which a redirect may be relative."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"


def parsed(url: str) -> tuple[str, str, int, str] | None:
    """Scheme, host, port, path with query; None for what is no plain http(s) link."""
    try:
        found = parse_url(url.strip())
    except (LocationParseError, ValueError):
        return None
    scheme, host = found.scheme or "", (found.host or "").strip("[]")
    if scheme in PORTS and host and not found.auth and len(url) <= LONGEST and "%" not in host:
        return scheme, host, found.port or PORTS[scheme], found.request_uri
    return None


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, asked for once a request: a second answer could be another."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def may_be_reached(address: str) -> bool:
    """Whether it is on the public internet, or in a network that the operator opened."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:  # an IPv6 address with a zone
        return False
    opened = any(found in ipaddress.ip_network(each, strict=False) for each in settings.LINK_NETWORKS)
    return opened or is_public(found)


def is_public(address: Address) -> bool:
    """Neither private, loopback, link-local, carrier-grade NAT, multicast, reserved, nor IPv4 in disguise."""
    if address.is_multicast or not address.is_global:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return not address.is_reserved and not any(address in each for each in SPECIAL)
    return address in GLOBAL_UNICAST and not any(address in each for each in TUNNELS)


class Pinned(HTTPConnection):
    """A connection to an address that was checked; the name is still what the server is asked for."""

    def pin(self, address: str) -> None:
        """Connect there, whatever the name resolves to by now."""
        self.address = address
        self.handle: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        """urllib3's own hook for connecting otherwise (its SOCKS support uses it)."""
        try:
            found = socket.create_connection((self.address, self.port), SILENCE)
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "no answer") from error
        except OSError as error:
            raise NewConnectionError(self, str(error)) from error
        self.handle = found.dup()  # outlives the wrapping in TLS: what the deadline shuts down
        return found

    def cut(self) -> None:
        """End whatever it is waiting for."""
        with contextlib.suppress(OSError):
            if self.handle is not None:
                self.handle.shutdown(socket.SHUT_RDWR)

    def let_go(self) -> None:
        """Close all of it."""
        self.close()
        if self.handle is not None:
            self.handle.close()


class PinnedTLS(Pinned, HTTPSConnection):
    """The same over TLS; certificate and server name are the host's, since the host is the connection's."""


def pinned_to(place: Place, *, patience: float) -> Pinned:
    """A connection to that very address; TLS against the system's authorities."""
    if place.scheme == "https":
        connection: Pinned = PinnedTLS(place.host, place.port, timeout=patience, cert_reqs="CERT_REQUIRED")
    else:
        connection = Pinned(place.host, place.port, timeout=patience)
    connection.pin(place.address)
    return connection
