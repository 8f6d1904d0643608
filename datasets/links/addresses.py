"""Which addresses a link may lead to: public ones, on the usual ports, resolved once."""

import ipaddress
import socket
from dataclasses import dataclass

from django.conf import settings
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from datasets.reasons import NotAccepted

PORTS = {"http": 80, "https": 443}
LONGEST = 2_000
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# The internet proper; what embeds IPv4 (6to4, Teredo) could lead anywhere and is left out below.
GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
TUNNELS = [ipaddress.IPv6Network(each) for each in ("2002::/16", "2001::/32")]
# Not the public internet either; which of these Python knows depends on its patch level.
SPECIAL = [
    ipaddress.IPv4Network(each)
    for each in ("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "240.0.0.0/4")
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


def place_of(url: str, *, row: int = 0) -> Place:
    """Parse, resolve once and check. Raises NotAccepted: only what is wholly public is fetched."""
    scheme, host, port, path = parsed(url, row)
    if port not in settings.LINK_PORTS:
        ports = ", ".join(map(str, settings.LINK_PORTS))
        raise NotAccepted("link-port", port=port, ports=ports)
    addresses = resolve(host, port)
    if not addresses:
        raise NotAccepted("link-unknown-host", host=host)
    if not all(map(may_be_fetched, addresses)):  # a name with one private address is a trap
        raise NotAccepted("link-private", host=host)
    return Place(scheme, host, port, addresses[0], path)


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, asked for once a request: a second answer could be another."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def parsed(url: str, row: int) -> tuple[str, str, int, str]:
    """Scheme, host, port, path with query. Raises NotAccepted for what is no plain http(s) link."""
    try:
        found = parse_url(url.strip())
    except (LocationParseError, ValueError) as error:
        raise NotAccepted("link-bad", row=row) from error
    scheme, host = found.scheme or "", (found.host or "").strip("[]")
    plain = scheme in PORTS and host and not found.auth and len(url) <= LONGEST and "%" not in host
    if not plain:
        raise NotAccepted("link-bad", row=row)
    return scheme, host, found.port or PORTS[scheme], found.request_uri


def may_be_fetched(address: str) -> bool:
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
