"""For load balancers and operators: does the process live, can it work, what does it measure."""

import ipaddress
from collections.abc import Callable

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

# Parts that may be away without the site being down; other rooms add theirs: name → function giving what is wrong.
degradable: dict[str, Callable[[], str]] = {}


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process lives."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """503 only where nothing works without it: database and storage. The rest is reported as degraded."""
    broken = {name: text for name, text in (("database", _database()), ("storage", _storage())) if text}
    degraded = {name: text for name, look in degradable.items() if (text := look())}
    state = "unavailable" if broken else "degraded" if degraded else "ready"
    return JsonResponse(
        {"state": state, "broken": broken, "degraded": degraded}, status=503 if broken else 200
    )


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "cannot be reached"
    return ""


def _storage() -> str:
    try:
        default_storage.exists("readyz")
    except Exception:  # noqa: BLE001  each storage has its own exceptions; any of them means the same here
        return "cannot be reached"
    return ""


def from_loopback(request: HttpRequest) -> bool:
    """Asked from this machine itself and not through a proxy."""
    if "X-Forwarded-For" in request.headers:
        return False
    address = request.META.get("REMOTE_ADDR") or "127.0.0.1"
    return ipaddress.ip_address(address).is_loopback


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' text format; from this machine, or with the operator's token (TAXON_METRICS_TOKEN)."""
    from django_prometheus.exports import ExportToDjangoView

    token = settings.METRICS_TOKEN
    allowed = from_loopback(request) or (token and request.headers.get("Authorization") == f"Bearer {token}")
    return ExportToDjangoView(request) if allowed else HttpResponse(status=403)
