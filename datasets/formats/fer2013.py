"""FER-2013's table of pixels: `emotion,pixels[,Usage]`, a row a grey square picture.

https://www.kaggle.com/c/challenges-in-representation-learning-facial-expression-recognition-challenge/data
Hundreds of megabytes of text: rows are found once, and each is read when its turn comes.
"""

import csv
import io
import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import uuid4

import numpy as np
from PIL import Image

from datasets.archive_names import shown
from datasets.archives import Archive, Offered
from datasets.formats.documents import split_of
from datasets.reasons import NotAccepted

LONGEST_ROW = 8 * 1024**2
HEADER = b"emotion,pixels"
# https://www.kaggle.com/c/challenges-in-representation-learning-facial-expression-recognition-challenge/data
EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
USAGES = {"training": "train", "publictest": "validation", "privatetest": "test"}


def offers(path: Path, name: str) -> list[Offered] | None:
    """A picture a row, under its number as label; None: the file is of another kind."""
    found: list[Offered] = []
    with path.open("rb") as source:
        header = cells(source.readline(1000))
        if [cell.lower() for cell in header[:2]] != ["emotion", "pixels"]:
            return None
        row, start = 1, source.tell()
        while line := source.readline(LONGEST_ROW):
            row += 1
            if line.strip():
                found.append(offer(path, name, row, start, cells(line)))
            start = source.tell()
    return found


def cells(line: bytes) -> list[str]:
    """A row's cells; none where it cannot be read."""
    try:
        return [cell.strip() for cell in next(csv.reader(io.StringIO(line.decode("utf-8-sig"))), [])]
    except (UnicodeDecodeError, csv.Error):
        return []


def unpacked(archive: Archive, folder: Callable[[], Path]) -> tuple[list[Offered], bool]:
    """What an archive offers, its tables of pixels row by row, and whether it had such.

    They are too large for the memory: each is written to `folder()`, which must stay while rows are read.
    """
    rows: dict[int, list[Offered]] = {}
    for place, write in archive.large_tables(HEADER):
        path = folder() / str(uuid4())
        try:
            with path.open("wb") as target:
                write(target)
        except NotAccepted as refusal:
            rows[place] = [replace(archive.offered[place], load=partial(raising, refusal))]
            continue
        rows[place] = offers(path, archive.offered[place].name) or [archive.offered[place]]
    found = [each for place, one in enumerate(archive.offered) for each in rows.get(place, [one])]
    return found, bool(rows)


def raising(refusal: NotAccepted) -> bytes:
    """What could not be unpacked is refused when its turn comes."""
    raise refusal


def offer(path: Path, name: str, row: int, start: int, said: list[str]) -> Offered:
    """One row as a file."""
    usage = said[2] if len(said) > 2 else ""
    wish = USAGES.get(usage.lower().replace(" ", "")) or split_of(usage)
    label = said[0] if said else ""
    return Offered(shown(f"{name}:{row}.png"), label, loader(path, name, row, start), wish)


def loader(path: Path, name: str, row: int, start: int) -> Callable[[], bytes]:
    """Reads the row again when its picture is wanted."""

    def load() -> bytes:
        with path.open("rb") as source:
            source.seek(start)
            said = cells(source.readline(LONGEST_ROW))
        try:
            return picture_of(said[1])
        except (IndexError, ValueError) as error:
            raise NotAccepted("pixels-row", row=row, manifest=shown(name, 80)) from error

    return load


def picture_of(text: str) -> bytes:
    """Grey values from 0 to 255, parted by spaces, as a PNG of a square picture. Raises ValueError."""
    values = np.array([int(value) for value in text.split()], dtype=np.int64)
    side = math.isqrt(len(values))
    if not side or side * side != len(values) or values.min() < 0 or values.max() > 255:
        raise ValueError("not a square of grey values")
    out = io.BytesIO()
    Image.fromarray(values.astype(np.uint8).reshape(side, side)).save(out, "PNG")
    return out.getvalue()
