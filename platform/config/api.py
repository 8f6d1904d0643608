"""The root of the JSON API: one OpenAPI document over every room's routes."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI, Swagger
from ninja.openapi.schema import OpenAPISchema
from ninja.parser import Parser
from ninja.renderers import BaseRenderer
from ninja.responses import NinjaJSONEncoder

from projects.auth import API_AUTH
from web import problems, unavailable
from web.reading import read_json


class ReadableJSON(BaseRenderer):
    """JSON in UTF-8 as people read it: 狗, not \\u72d7."""

    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> Any:
        """The body of an answer."""
        return json.dumps(data, cls=NinjaJSONEncoder, ensure_ascii=False)


class CarefulParser(Parser):
    """Bodies as `web.reading` takes them."""

    def parse_body(self, request: HttpRequest) -> Any:
        """The JSON of a body. ninja wraps what this raises; `web.problems` finds the sentence again."""
        return read_json(request.body)


class RememberingAPI(NinjaAPI):
    """Makes its OpenAPI document once for each path and language: that takes a second of processor time."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._documents: dict[tuple[str, str | None], OpenAPISchema] = {}

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        """The document; the routes do not change while the process lives."""
        prefix = self.get_root_path(path_params or {}) if path_prefix is None else path_prefix
        key = (prefix, get_language())
        if key not in self._documents:
            self._documents[key] = super().get_openapi_schema(path_prefix=prefix)
        return self._documents[key]


api = RememberingAPI(
    parser=CarefulParser(),
    renderer=ReadableJSON(),
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

for room in ("projects", "jobs", "datasets", "training", "serving"):
    api.add_router("", f"{room}.api.router")


@csrf_exempt  # a program that mistypes an address is told so, whatever it sends
def unknown(request: HttpRequest, rest: str = "") -> HttpResponse:
    """Any other path below the API: JSON too, not the site's page."""
    return problems.problem(404, "not-found", _("There is no such route; /api/v1/docs lists them."))
