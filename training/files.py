"""The files of a version that people take along."""

from collections.abc import Callable
from typing import IO, Any

from django.core.files import File
from django.core.files.storage import default_storage
from django.http import FileResponse
from django.utils.translation import gettext_noop

from training.models import ModelVersion
from web.sentences import Conflict, Refusal

ONNX_TYPE = "application/octet-stream"


class NoFile(Conflict):
    """There is no model to take along (yet)."""

    code = "no-model"


class UnknownForm(Refusal):
    """A form that this release does not build."""

    code = "unknown-export"
    status = 404


def open_export(version: ModelVersion, form: str) -> FileResponse:
    """The answer that carries the file; raises UnknownForm or NoFile."""
    if form not in def bundle(version: ModelVersion) -> tuple[IO[bytes], str, str]:
    """The model with all that is needed to run it offline."""
    from training.bundle import build

    return build(version), "-bundle.zip", "application/zip"


FORMS: dict[str, Callable[[ModelVersion], tuple[Any, str, str]]] = {"onnx": onnx, "bundle": bundle}
