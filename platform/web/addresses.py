"""Where a request comes from, and how links lead back to us."""

import ipaddress
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
BEHIND_A_SOCKET = "127.0.0.1"


def address_of(request: HttpRequest) -> Address:
    """The client's address. What a header says counts only as far as proxies of our own wrote it."""
    address = ipaddress.ip_address(request.META.get("REMOTE_ADDR") or BEHIND_A_SOCKET)
    hops = request.headers.get("X-Forwarded-For", "").split(",")
    while str(address) in settings.TRUSTED_PROXIES and hops:
        try:
            address = ipaddress.ip_address(hops.pop().strip())
        except ValueError:
            break
    return getattr(address, "ipv4_mapped", None) or address


def link_to(name: str, *args: object, request: HttpRequest | None = None) -> str:
    """A whole link, to hand to somebody: as the operator configured the site, else as it was reached."""
    path = reverse(name, args=args)
    if settings.BASE_URL:
        base = urlsplit(settings.BASE_URL)
        return f"{base.scheme}://{base.netloc}{path}"
    return request.build_absolute_uri(path) if request else f"http://127.0.0.1:8000{path}"
