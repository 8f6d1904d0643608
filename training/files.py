"""The files of a version that people take along."""

from collections.abc import Callable

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
    if form not in FORMS:
        raise UnknownForm(
            gettext_noop("There is no export “%(form)s”. There are: %(known)s."),
            form=form,
            known=", ".join(FORMS),
        )
    if not version.usable or not version.file_key:
        raise NoFile(gettext_noop("This version has no model to take along."))
    content, suffix, kind = FORMS[form](version)
    return FileResponse(
        content,
        as_attachment=True,
        filename=f"{version.model.name}-{version.number}{suffix}",
        content_type=kind,
    )


def onnx(version: ModelVersion) -> tuple[File[bytes], str, str]:
    """The very file that was evaluated and is served."""
    return default_storage.open(version.file_key, "rb"), ".onnx", ONNX_TYPE


FORMS: dict[str, Callable[[ModelVersion], tuple[File[bytes], str, str]]] = {"onnx": onnx}
