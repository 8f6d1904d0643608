"""A file as text, as a table or as JSON, however it was written; and what a format makes of it."""

import csv
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from datasets.archive_names import encoding_of

MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
MOST_WEIGHED = 500  # lines that tell UTF-8 from GBK
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "'")  # what an export puts an apostrophe before
SPLITS = {
    **dict.fromkeys(("train", "training", "训练", "训练集"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev", "eval", "验证", "验证集"), "validation"),
    **dict.fromkeys(("test", "testing", "测试", "测试集"), "test"),
}


@dataclass(frozen=True, slots=True)
class Said:
    """One row of a format: this picture has this label. `problem` is a code of datasets.reasons."""

    row: int  # counted from 1, as people's programs show it
    path: str
    label: str | None = ""  # empty: it has none; None: its folder says
    split: str = ""
    problem: str = ""


def split_of(word: object) -> str:
    """train, validation, test; empty for what says nothing."""
    return SPLITS.get(str(word or "").strip().lower(), "")


def path_of(address: str) -> str:
    """The path in an address: gs://bucket/a/b.jpg is a/b.jpg."""
    return re.sub(r"^\w+://[^/]*/", "", address.strip())


def without_apostrophe(cell: str) -> str:
    """As it was before it was made safe for spreadsheets: `'=1` is =1 and `''n` is 'n; a lone `'n` stays."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA_STARTS) else cell


def is_link(address: str) -> bool:
    """Whether it leads elsewhere."""
    return re.match(r"\w+://", address.strip()) is not None


class Document:
    """A file's content, read at most once each way."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name, self.content = name, content

    @cached_property
    def text(self) -> str:
        """By its mark, else as UTF-8 or GBK, whichever reads like words; empty for what is no text."""
        for mark, encoding in MARKS.items():
            if self.content.startswith(mark):
                return self.content.decode(encoding, "replace")
        if b"\0" in self.content:
            return ""
        sample = [line for line in self.content.splitlines() if not line.isascii()][:MOST_WEIGHED]
        likely = ("gb18030", "utf-8") if encoding_of(sample) == "gbk" else ("utf-8", "gb18030")
        for encoding in likely:
            try:
                return self.content.decode(encoding)
            except UnicodeDecodeError:
                continue
        return ""

    @cached_property
    def table(self) -> list[tuple[int, list[str]]]:
        """Rows with their numbers, cells trimmed, empty rows left out. A tab, comma or semicolon parts them."""
        first = self.text.lstrip().split("\n", 1)[0]
        if not first or first[0] in "[{":
            return []
        separator = "\t" if "\t" in first else max(",;", key=first.count)
        reader = csv.reader(io.StringIO(self.text, newline=""), delimiter=separator, skipinitialspace=True)
        try:
            cells = [
                (number, [without_apostrophe(cell.strip()) for cell in row])
                for number, row in enumerate(reader, 1)
            ]
        except csv.Error:
            return []
        return [(number, row) for number, row in cells if any(row)]

    @cached_property
    def header(self) -> list[str]:
        """The first row in small letters."""
        return [cell.lower() for cell in self.table[0][1]] if self.table else []

    @cached_property
    def objects(self) -> list[tuple[int, Mapping[str, Any]]]:
        """The objects of a JSON list, or of JSON Lines, with their numbers; empty for anything else."""
        text = self.text.strip()
        try:
            if text.startswith("["):
                found = list(enumerate(json.loads(text), 1))
            elif text.startswith("{"):
                lines = enumerate(text.splitlines(), 1)
                found = [(number, json.loads(line)) for number, line in lines if line.strip()]
            else:
                return []
        except (ValueError, RecursionError):
            return []
        return [(number, each) for number, each in found if isinstance(each, dict)]
