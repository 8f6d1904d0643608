"""A model file made elsewhere, brought by a program."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import File, Form, Router, Status
from ninja.files import UploadedFile
from pydantic import TypeAdapter, ValidationError

from projects.access import caller
from projects.models import Role
from training import own_files
from training.access import model_for
from training.api.versions import DataIn, VersionOut, shape
from training.models import Application
from web.api import PROBLEMS

router = Router(tags=["training"])
DATA = TypeAdapter(list[DataIn])


@router.post("/models/{int:pk}/versions/own", response={202: VersionOut, **PROBLEMS})
def bring(
    request: HttpRequest,
    pk: int,
    *,
    file: Annotated[UploadedFile, File()],
    data: Annotated[str, Form(description='JSON: [{"dataset": 3, "labels": ["cat", "dog"] | "all"}]')],
    labels: Annotated[
        str, Form(description="JSON list, in the order of the scores; empty: the file says them")
    ] = "",
    application: Annotated[Application, Form()] = Application.CLOUD_GENERAL,
) -> Status[dict[str, Any]]:
    """An ONNX file as a version: tried, hashed and judged on the given data by the training worker.

    One input `images` uint8 [n, s, s, 3]; outputs `scores` float [n, k], probabilities, and `embedding` float [n, d].
    """
    asking = caller(request.auth)  # type: ignore[attr-defined]
    version = own_files.bring(
        model=model_for(asking, pk, at_least=Role.ENGINEER, scope="train"),
        user=asking.user,
        file=file,
        labels=own_files.labels_from(labels),
        application=application,
        data=data_of(data),
    )
    return Status(202, shape(version))


def data_of(text: str) -> list[dict[str, Any]]:
    """The data to judge on; raises BadData."""
    try:
        return [item.dict() for item in DATA.validate_json(text)]
    except ValidationError as error:
        raise own_files.BadData from error
