"""The root of the JSON API: one OpenAPI document over every room's routes."""

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI, Swagger

from projects.auth import API_AUTH
from web import problems, unavailable

api = NinjaAPI(
    title="Taxon",
    version="1",
    description="Turn folders of photos into a prediction API. Errors are RFC 9457 problem documents.",
    openapi_url="/openapi.json",
    docs_url="/docs",
    docs=Swagger(),
    auth=API_AUTH,
    urls_namespace="api",
)
problems.install(api)
unavailable.install(api)

for room in ("projects", "datasets", "training", "serving"):
    api.add_router("", f"{room}.api.router")


def unknown(request: HttpRequest, rest: str = "") -> HttpResponse:
    """Any other path below the API: JSON too, not the site's page."""
    return problems.problem(404, "not-found", "There is no such route; see /api/v1/docs.")
