"""A fit's checkpoints on disk: the two newest, so that one torn by a crash leaves the one before it."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import re
from pathlib import Path
from typing import Any

import torch

from training.engine.lightning_import import CheckpointIO
from training.engine.progress import tell

KEPT = 2


class Damaged(ValueError):
    """The content is not the one that the file's name promises."""


class Checkpoints(CheckpointIO):  # type: ignore[misc]
    """Where Lightning's checkpoints of one fit go: `<name>-<number>-<sha256 of the content>.ckpt`.

    The hash is in the name, so there is no moment at which a file and its hash disagree: it is written to
    `<name>.part`, reaches the disk, and then gets its name in one step. Nothing is unpickled before its hash
    is found right.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self._pattern = re.compile(rf"{re.escape(name)}-(\d+)-([0-9a-f]{{64}})\.ckpt")

    def save_checkpoint(self, checkpoint: dict[str, Any], path: object, storage_options: Any = None) -> None:
        """Write it, then forget all but the one before it."""
        content = io.BytesIO()
        torch.save(checkpoint, content)
        earlier = self.found()
        number = self._number(earlier[0]) + 1 if earlier else 1
        digest = hashlib.sha256(content.getbuffer()).hexdigest()
        part = self.folder / f"{self.name}.part"
        with part.open("wb") as file:
            file.write(content.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.folder / f"{self.name}-{number:06}-{digest}.ckpt")
        _sync(self.folder)
        for old in earlier[KEPT - 1 :]:
            old.unlink(missing_ok=True)

    def load_checkpoint(self, path: str | Path, *_: Any, **_more: Any) -> dict[str, Any]:
        """What a file holds, whatever loading options Lightning asks for; raises Damaged."""
        content = Path(path).read_bytes()
        match = self._pattern.fullmatch(Path(path).name)
        if match is None or hashlib.sha256(content).hexdigest() != match[2]:
            raise Damaged(Path(path).name)
        return dict(torch.load(io.BytesIO(content), map_location="cpu", weights_only=True))

    def remove_checkpoint(self, path: object) -> None:
        """Lightning's own idea of what is old does not count here."""

    def found(self) -> list[Path]:
        """Those of this fit, the newest first, whole or not."""
        here = [each for each in self.folder.iterdir() if self._pattern.fullmatch(each.name)]
        return sorted(here, key=self._number, reverse=True)

    def newest(self) -> Path | None:
        """The newest that is whole. Damaged ones are told and removed: they mean going back, not failing."""
        damaged = False
        for path in self.found():
            if self._readable(path):
                if damaged:
                    _note("The last checkpoint is damaged; the fit goes on from the one before it.")
                return path
            damaged = True
            path.unlink(missing_ok=True)
        if damaged:
            _note("The last checkpoint is damaged; the fit starts over.")
        return None

    def _readable(self, path: Path) -> bool:
        """Whether this is a whole checkpoint of ours, in a form that this version of the libraries reads."""
        try:
            return "taxon" in self.load_checkpoint(path)
        except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError):
            return False

    def _number(self, path: Path) -> int:
        match = self._pattern.fullmatch(path.name)
        return int(match[1]) if match else 0


def _note(message: str) -> None:
    tell("note", code="checkpoint-damaged", message=message)


def _sync(folder: Path) -> None:
    """Make new names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
