"""Which addresses a link may lead to: public ones, on the usual ports, resolved once."""

from django.conf import settings

from datasets.reasons import NotAccepted
from web import outgoing
from web.outgoing import Place, is_public, resolve
from web.outgoing import may_be_reached as may_be_fetched

__all__ = ["Place", "is_public", "may_be_fetched", "place_of", "resolve"]


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


def parsed(url: str, row: int) -> tuple[str, str, int, str]:
    """Scheme, host, port, path with query. Raises NotAccepted for what is no plain http(s) link."""
    found = outgoing.parsed(url)
    if found is None:
        raise NotAccepted("link-bad", row=row)
    return found
