"""The doctor's looks at this machine: Python, libraries, free space."""

import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from django.conf import settings
from django.utils.translation import gettext as _

from config.doctor import Finding, fail, ok, warn
from config.env import ROOT

GB = 1024**3


def python() -> Iterator[Finding]:
    """The interpreter, and that our folder `platform` does not hide the standard library's module."""
    if (ROOT / "platform" / "__init__.py").exists():
        yield fail("Python", _("platform/__init__.py hides a standard module."), _("Remove that file."))
    else:
        yield ok("Python", ".".join(map(str, sys.version_info[:3])))


def onnx_runtime() -> Iterator[Finding]:
    """What answers predictions."""
    try:
        import onnxruntime
    except ImportError as error:
        yield fail("ONNX Runtime", str(error), _("Run `make setup`."))
        return
    yield ok(
        "ONNX Runtime", f"{onnxruntime.__version__} ({', '.join(onnxruntime.get_available_providers())})"
    )


def torch() -> Iterator[Finding]:
    """What trains; found without loading it."""
    missing = [name for name in ("torch", "torchvision", "pytorch_lightning") if find_spec(name) is None]
    if missing:
        yield warn(
            "PyTorch",
            _("Not installed: %(names)s. This host serves, but cannot train.")
            % {"names": ", ".join(missing)},
            _("Run `make setup`, or leave training to another host."),
        )
        return
    try:
        yield ok("PyTorch", version("torch"))
    except PackageNotFoundError:
        yield ok("PyTorch", _("installed"))


def disk() -> Iterator[Finding]:
    """Free space where everything is kept."""
    name, free = _("Free disk"), shutil.disk_usage(settings.DATA_DIR).free
    shown = f"{free / GB:.1f} GB"
    mend = _("Make room, or move TAXON_DATA_DIR to a larger disk.")
    yield (
        fail(name, shown, mend)
        if free < GB
        else warn(name, shown, mend)
        if free < 5 * GB
        else ok(name, shown)
    )


LOOKS = (python, onnx_runtime, torch, disk)
