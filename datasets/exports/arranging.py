"""What a format is given and gives; paths that every file system takes; tables that no spreadsheet runs."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from datasets.archive_names import is_litter
from datasets.formats.documents import FORMULA_STARTS

# https://learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file
DEVICES = re.compile(r"^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(\.|$)", re.IGNORECASE)
FORBIDDEN = re.compile(r'[<>:"/\\|?*]')
MOST_BYTES = 200  # of 255, with room for the number that tells two of a name apart
BOM = "\ufeff"  # without it Excel takes UTF-8 for the local code page
FOLDER = "images"


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture on its way out. `label` and `split` are empty where it has none."""

    name: str
    key: str
    label: str
    split: str


@dataclass(frozen=True)
class Arrangement:
    """The pictures' paths, in their order, and the papers beside them: (path, content)."""

    paths: list[str]
    papers: list[tuple[str, bytes]]


class Names:
    """Gives out names in one folder, each once, also where capitals and composed letters count as the same."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = {same_as(each) for each in taken}
        self._next: dict[str, int] = {}

    def free(self, name: str) -> str:
        """The name, or one with a number: `1.jpg`, `1 (2).jpg`."""
        path, key = PurePosixPath(name), same_as(name)
        number, found = self._next.get(key, 2), name
        while same_as(found) in self._taken:
            found = f"{path.stem} ({number}){path.suffix}"
            number += 1
        self._next[key] = number
        self._taken.add(same_as(found))
        return found


def same_as(name: str) -> str:
    """What file systems compare."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def safe(name: str, *, suffix: str = "") -> str:
    """A name that Windows, macOS and Linux take, with its end kept; never one that an import skips as litter."""
    text = unicodedata.normalize("NFC", name)
    text = "".join("_" if unicodedata.category(char)[0] in "CZ" and char != " " else char for char in text)
    text = shortened(FORBIDDEN.sub("_", text).strip(" "), MOST_BYTES - len(suffix)).rstrip(" .")
    text = re.sub(r"^[.~]+", "_", text) or "_"
    if DEVICES.match(text) or is_litter([f"{text}{suffix}"]) or is_litter([text, "a.jpg"]):
        text = f"_{text}"
    return f"{text}{suffix}"


def shortened(text: str, most: int) -> str:
    """At most so many bytes of UTF-8, no character cut."""
    return text.encode()[:most].decode(errors="ignore")


def file_name(picture: Picture) -> str:
    """The name that people gave, with the end that its content has."""
    suffix = PurePosixPath(picture.key).suffix
    name = picture.name
    stem, dot, end = name.rpartition(".")
    if dot and (end.isascii() and end.isalnum() and len(end) <= 5):
        return safe(stem, suffix=f".{end}" if f".{end.lower()}" in ENDINGS.get(suffix, (suffix,)) else suffix)
    return safe(name, suffix=suffix)


ENDINGS = {".jpg": (".jpg", ".jpeg"), ".heic": (".heic", ".heif")}


def in_one_folder(pictures: Sequence[Picture]) -> list[str]:
    """Each picture's path in `images/`."""
    names = Names()
    return [f"{FOLDER}/{names.free(file_name(picture))}" for picture in pictures]


def neutral(cell: str) -> str:
    """Text that a spreadsheet would take for a formula gets an apostrophe in front, and so does one with an
    apostrophe of its own; `datasets.formats.documents` takes it away again.
    """
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """A table as CSV in UTF-8 with its mark, safe to open."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([neutral(cell) for cell in row] for row in rows)
    return (BOM + out.getvalue()).encode()
