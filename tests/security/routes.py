"""Every address that Django's resolver knows, the API's included."""

from collections.abc import Iterator

from django.urls import URLResolver, get_resolver

# A library's own pages, one rule for all: operators alone (web.middleware.OperatorsOnly).
ADMIN = "admin/"


def all_routes() -> list[str]:
    """Patterns as they stand in the code: `projects/<int:pk>/settings/`."""
    return sorted(set(walk(get_resolver(), "")))


def walk(resolver: URLResolver, prefix: str) -> Iterator[str]:
    """The routes below one resolver; those of the admin as one."""
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if route.startswith(ADMIN) and isinstance(entry, URLResolver):
            yield f"{ADMIN}…"
        elif isinstance(entry, URLResolver):
            yield from walk(entry, route)
        else:
            yield route


def admin_routes() -> list[str]:
    """Those of the admin without parameters, the queue's dashboard included."""
    [admin] = [entry for entry in get_resolver().url_patterns if str(entry.pattern) == ADMIN]
    return [route for route in walk_plainly(admin, ADMIN) if "<" not in route and "(" not in route]


def walk_plainly(resolver: URLResolver, prefix: str) -> Iterator[str]:
    """The routes below one resolver, nothing summed up."""
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from walk_plainly(entry, route)
        else:
            yield route
