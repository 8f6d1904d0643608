"""Finding pretrained weights: a folder the operator filled, else torchvision's hub. Only tensors load."""

from __future__ import annotations

import hashlib
import os
import pickle
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from training.engine.families import fixed_side
from training.engine.progress import tell
from training.engine.refusals import EngineRefusal
from training.engine.torchvision_import import torchvision

CONNECT_SECONDS = 5.0  # an offline machine must say so quickly
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class FoundWeights:
    """A file with a state dict, where it came from, and its sha256 (hex)."""

    path: Path
    sha256: str
    source: Literal["folder", "hub"]


def find_weights(
    backbone: str, *, folder: Path | None, download: bool = True, download_folder: Path | None = None
) -> FoundWeights | None:
    """Weights for torchvision's builder `backbone`, or None when there are none to be had.

    Looks in `folder` for `<builder>.pth`, then for the hub's names (`mobilenet_v2-b0353104.pth`), then in
    what was downloaded before, then asks the hub. Raises EngineRefusal(`unknown-backbone`).
    """
    urls = _urls(backbone)
    names = [f"{backbone}.pth", *(url.rsplit("/", 1)[-1] for url in urls)]
    if folder is not None:
        for path in [*(folder / name for name in names), *sorted(folder.glob(f"{backbone}-*.pth"))]:
            if path.is_file():
                return FoundWeights(path, sha256_of(path), "folder")
    cache = download_folder or Path(torch.hub.get_dir()) / "checkpoints"
    for url in urls:
        path = cache / url.rsplit("/", 1)[-1]
        if path.is_file():
            return FoundWeights(path, sha256_of(path), "hub")
    return _downloaded(urls[0], cache) if download and urls else None


def _urls(backbone: str) -> list[str]:
    """Where the hub keeps this builder's weights, torchvision's present default first."""
    try:
        enum = torchvision.models.get_model_weights(backbone)
    except ValueError as error:
        raise EngineRefusal("unknown-backbone", f"torchvision knows no model named {backbone!r}.") from error
    default = [enum.DEFAULT] if len(enum) else []
    side = fixed_side(backbone)  # some weights of a transformer are made for larger pictures than it takes
    fitting = [
        each for each in [*default, *enum] if side in (None, each.transforms.keywords.get("crop_size"))
    ]
    return list(dict.fromkeys(str(each.url) for each in fitting))


def _downloaded(url: str, cache: Path) -> FoundWeights | None:
    tell("stage", stage="downloading", url=url)
    answer = _answer_of(url)
    if answer is None:
        return None
    path = cache / url.rsplit("/", 1)[-1]
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        cache.mkdir(parents=True, exist_ok=True)
        sha256 = hashlib.sha256()
        with answer, part.open("wb") as file:
            for chunk in iter(lambda: answer.read(_CHUNK), b""):
                sha256.update(chunk)
                file.write(chunk)
        # The hub's names end in the first digits of the sha256, as torch.hub checks them too.
        if not sha256.hexdigest().startswith(path.stem.rsplit("-", 1)[-1]):
            tell("note", code="weights-damaged", message=f"What came from {url} does not match its name.")
            return None
        part.replace(path)
    except OSError as error:
        tell("note", code="download-failed", message=f"The download of {url} failed: {error}.")
        return None
    finally:
        part.unlink(missing_ok=True)
    return FoundWeights(path, sha256.hexdigest(), "hub")


def _answer_of(url: str) -> Any | None:
    """The open answer, or None within a few seconds: a silent name server has no time-out of its own."""
    box: list[Any] = []

    def ask() -> None:
        try:
            box.append(urllib.request.urlopen(url, timeout=CONNECT_SECONDS))  # noqa: S310 - https, from torchvision
        except (OSError, ValueError) as error:
            box.append(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(CONNECT_SECONDS + 1)
    answer = box[0] if box else TimeoutError("no answer in time")
    if isinstance(answer, Exception):
        tell("note", code="offline", message=f"The hub cannot be reached ({url}): {answer}.")
        return None
    return answer


def load_state_dict(found: FoundWeights) -> dict[str, torch.Tensor]:
    """The tensors in the file. `weights_only=True`: a pickle that wants to run code is refused."""
    try:
        state = torch.load(found.path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError) as error:
        raise EngineRefusal("weights-unreadable", f"{found.path.name} cannot be read as weights.") from error
    if isinstance(state, dict) and state and all(isinstance(each, torch.Tensor) for each in state.values()):
        return state
    raise EngineRefusal("weights-unreadable", f"{found.path.name} does not hold a state dict.")


def sha256_of(path: Path) -> str:
    """The file's sha256, hex."""
    digest = hashlib.sha256()
    for chunk in _chunks(path):
        digest.update(chunk)
    return digest.hexdigest()


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from iter(lambda: file.read(_CHUNK), b"")
