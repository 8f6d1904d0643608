"""Trying pictures on a version."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Router

from projects.models import Role
from serving.api.callers import asking
from serving.api.online import PICTURES_BODY, BoundedSession, BoundedToken, ends_well
from serving.dialects.bodies import files_of, stream_of
from serving.dialects.taxon import FIELD
from serving.validation import validate
from training.access import version_for
from web.api import PROBLEMS

router = Router()


@router.post(
    "/models/{int:model_pk}/versions/{int:number}/validate",
    response={200: list[dict[str, Any]], **PROBLEMS},
    auth=[BoundedToken(), BoundedSession()],
    openapi_extra={"requestBody": PICTURES_BODY},
)
@ends_well
def validate_pictures(request: HttpRequest, model_pk: int, number: int) -> HttpResponse:
    """Try 1 to 10 pictures; the answers come in their order, a bad picture has its reason instead."""
    caller = asking(request)
    version = version_for(caller, model_pk, number, at_least=Role.LABELLER, scope="predict")
    files = files_of(request, settings.MAX_VALIDATION_IMAGES).getlist(FIELD)
    results = validate(
        version=version, pictures=[(file.name or "", stream_of(file)) for file in files], by=caller
    )
    return JsonResponse(results, safe=False, json_dumps_params={"ensure_ascii": False})
