"""The files of a version that people take along."""

from collections.abc import Callable
from typing import Any

from django.core.files.storage import default_storage
from django.http import FileResponse
from django.utils.translation import gettext_noop

from training.models import ModelVersion
from web.sentences import Conflict, Refusal

ONNX_TYPE, ZIP_TYPE = "application/octet-stream", "application/zip"


class NoFile(Conflict):
    """There is no model to take along (yet)."""

    code = "no-model"


class UnknownForm(Refusal):
    """A form that this release does not build."""

    code = "unknown-export"
    status = 404


def open_export(version: ModelVersion, form: str) -> FileResponse:
    """The answer that carries the file; raises UnknownForm or NoFile."""
    if form not in FORMS:
        known = ", ".join(FORMS)
        raise UnknownForm(
            gettext_noop("There is no export “%(form)s”. There are: %(known)s."), form=form, known=known
        )
    if not version.usable or not version.file_key:
        raise NoFile(gettext_noop("This version has no model to take along."))
    content, suffix, kind = FORMS[form](version)
    name = f"{version.model.name}-{version.number}{suffix}"
    return FileResponse(content, as_attachment=True, filename=name, content_type=kind)


def onnx(version: ModelVersion) -> tuple[Any, str, str]:
    """The very file that was evaluated and is served."""
    return default_storage.open(version.file_key, "rb"), ".onnx", ONNX_TYPE


def bundle(version: ModelVersion) -> tuple[Any, str, str]:
    """The model with all that is needed to run it offline."""
    from training.bundle import build

    return build(version), "-bundle.zip", ZIP_TYPE


FORMS: dict[str, Callable[[ModelVersion], tuple[Any, str, str]]] = {"onnx": onnx, "bundle": bundle}
