"""The arrays that the engine reads: features where weights were found, small pictures where they were not."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from django.core.files.storage import default_storage

from datasets import embeddings
from datasets.pixels import PixelSpec, UnreadableImage, spec_for
from datasets.stored_pixels import pixels_of
from training.extractors import as_embeddings
from training.manifest import Entry, Manifest
from training.models import Extractor
from training.profiles import SCRATCH_SIZE
from training.splitting import TRAIN, VALIDATION
from web import storage

PARTS = {TRAIN: 0, VALIDATION: 1}  # held-back pictures are never shown to the engine
CHUNK = 32

Done = Callable[[int, int], None]


class OutOfTime(Exception):
    """Preparing took its share of the time limit; what was prepared so far must do."""


@dataclass(frozen=True)
class Inputs:
    """Fields of the engine's task, and the pictures that could not be had."""

    task: dict[str, Any]
    left_out: list[str]


def learning_entries(manifest: Manifest) -> list[Entry]:
    """Training and validation, mixed over the labels, so that any beginning of the list is a fair sample."""
    entries = [entry for entry in manifest.entries if entry.part in PARTS]
    turns: dict[tuple[str, str], int] = {}
    order: list[tuple[int, bool, int]] = []
    for entry in entries:
        turn = turns[entry.label, entry.part] = turns.get((entry.label, entry.part), -1) + 1
        order.append((turn, entry.part != VALIDATION, len(order)))
    return [entries[at] for _, _, at in sorted(order)]


def feature_inputs(
    folder: Path, manifest: Manifest, extractor: Extractor, *, threads: int, done: Done
) -> Inputs:
    """Features of all pictures that can be read, and the extractor's file. `done` may raise OutOfTime."""
    source, entries = as_embeddings(extractor), learning_entries(manifest)
    left_out: list[str] = []
    try:
        try:
            ensure(source, entries, threads, done)
        except (UnreadableImage, FileNotFoundError):
            entries, left_out = readable(entries)
            ensure(source, entries, threads, done)
    except OutOfTime:
        ready = {row[0] for row in rows_of(entries)} - {
            row[0] for row in embeddings.missing_of(source, rows_of(entries))
        }
        left_out += [entry.name for entry in entries if entry.sha256 not in ready]
        entries = [entry for entry in entries if entry.sha256 in ready]
    np.save(folder / "features.npy", embeddings.features_of(source, [entry.sha256 for entry in entries]))
    with storage.local_copy(extractor.key) as path:
        (folder / "extractor.onnx").write_bytes(path.read_bytes())
    files = {"features": str(folder / "features.npy"), "extractor": str(folder / "extractor.onnx")}
    return Inputs(files | described(folder, manifest, entries, source.spec), left_out)


def rows_of(entries: Sequence[Entry]) -> list[tuple[str, str]]:
    """As datasets' embeddings take them."""
    return [(entry.sha256, entry.key) for entry in entries]


def ensure(source: embeddings.Extractor, entries: Sequence[Entry], threads: int, done: Done) -> None:
    """Compute the features that are missing."""
    embeddings.ensure_features(source, rows_of(entries), progress=done, threads=threads)


def readable(entries: Sequence[Entry]) -> tuple[list[Entry], list[str]]:
    """Those whose file is there and decodes, and the names of the others."""
    good, bad = [], []
    for entry in entries:
        try:
            if not default_storage.exists(entry.key):
                raise FileNotFoundError(entry.key)
            pixels_of(entry.key, spec_for(SCRATCH_SIZE))
            good.append(entry)
        except (UnreadableImage, FileNotFoundError):
            bad.append(entry.name)
    return good, bad


def pixel_inputs(
    folder: Path, manifest: Manifest, size: int, *, side: int = 0, threads: int, done: Done
) -> Inputs:
    """Pictures of `side` pixels (else of `size`, the model's input), in a file that is read piece by piece."""
    spec, wanted = spec_for(side or size), learning_entries(manifest)
    shape = (len(wanted), spec.size, spec.size, 3)
    pixels = empty_pixels(folder / "pixels.npy", shape)
    entries: list[Entry] = []
    left_out: list[str] = []
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(wanted), CHUNK):
            try:
                done(start, len(wanted))
            except OutOfTime:
                left_out += [entry.name for entry in wanted[start:]]
                break
            some = wanted[start : start + CHUNK]
            for entry, picture in zip(
                some, pool.map(lambda each: pixels_or_none(each, spec), some), strict=True
            ):
                if picture is None:
                    left_out.append(entry.name)
                    continue
                pixels[len(entries)] = picture
                entries.append(entry)
    pixels.flush()
    files = {"pixels": str(folder / "pixels.npy")}
    if len(entries) < len(wanted):  # the unused end of the file must not count as pictures
        np.save(folder / "read.npy", pixels[: len(entries)])
        files = {"pixels": str(folder / "read.npy")}
    return Inputs(files | described(folder, manifest, entries, spec_for(size)), left_out)


def empty_pixels(path: Path, shape: tuple[int, ...]) -> np.memmap:
    """A file of uint8 to write to as memory. Its room on the disk is taken at once: where the disk is full this is

    an error that can be told; on a page of the file that finds no room the kernel would kill us (SIGBUS).
    """
    pixels = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return pixels


def pixels_or_none(entry: Entry, spec: PixelSpec) -> np.ndarray | None:
    """None for a picture that is gone or broken."""
    try:
        return pixels_of(entry.key, spec)
    except (UnreadableImage, FileNotFoundError):
        return None


def described(folder: Path, manifest: Manifest, entries: Sequence[Entry], spec: PixelSpec) -> dict[str, Any]:
    """Targets, split, labels and pixel spec, for both kinds of input."""
    places = {label: at for at, label in enumerate(manifest.labels)}
    np.save(folder / "targets.npy", np.array([places[entry.label] for entry in entries], dtype=np.int64))
    np.save(folder / "split.npy", np.array([PARTS[entry.part] for entry in entries], dtype=np.uint8))
    files = {"targets": str(folder / "targets.npy"), "split": str(folder / "split.npy")}
    return files | {"labels": list(manifest.labels), "pixel_spec": asdict(spec)}
