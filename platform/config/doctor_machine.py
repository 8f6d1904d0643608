"""The doctor's looks at this machine: Python, libraries, threads, model weights, free space."""

import hashlib
import re
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from config.doctor import Finding, fail, ok, warn
from config.env import ROOT

GB = 1024**3
HUB_NAME = re.compile(r"-([0-9a-f]{8,})\.pth$")


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


def weights() -> Iterator[Finding]:
    """Pretrained weights: without them a model learns from simple features alone."""
    name, folder = _("Weights"), settings.WEIGHTS_DIR
    if folder is None:
        yield warn(
            name,
            _("TAXON_WEIGHTS_DIR is not set."),
            _("Point it at a folder of torchvision state dicts (*.pth)."),
        )
        return
    if not folder.is_dir():
        yield fail(
            name, _("%(folder)s is not a folder.") % {"folder": folder}, _("Set TAXON_WEIGHTS_DIR anew.")
        )
        return
    files = sorted(folder.glob("*.pth"))
    if not files:
        yield warn(name, _("%(folder)s holds no *.pth.") % {"folder": folder}, _("Put state dicts there."))
    for file in files:
        yield _weight(name, file)


def _weight(name: str, file: Path) -> Finding:
    try:
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        return fail(name, f"{file.name}: {error.strerror}", _("Make the file readable."))
    promised = HUB_NAME.search(file.name)
    if promised and not digest.startswith(promised[1]):
        return fail(
            name,
            _("%(file)s is damaged: its name promises another checksum.") % {"file": file.name},
            _("Fetch it again."),
        )
    return ok(name, f"{file.name} sha256 {digest[:16]}…")


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


LOOKS = (python, onnx_runtime, torch, weights, disk)
