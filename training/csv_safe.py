"""Tables as CSV that spreadsheet programs open right and cannot be made to run."""

import csv
import io
from collections.abc import Iterable, Sequence

# The wide forms too: spreadsheets take them for the same in Chinese and Japanese.
FORMULA_STARTS = (*"=+-@＝＋－＠", "\t", "\r", "\n")
BOM = "\ufeff"  # without it Excel takes UTF-8 for the local code page


def safe(value: object) -> object:
    """Text that would start a formula gets an apostrophe in front; numbers stay numbers."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value


def to_csv(rows: Iterable[Sequence[object]]) -> str:
    """The whole table, with a byte order mark."""
    out = io.StringIO()
    csv.writer(out).writerows([[safe(value) for value in row] for row in rows])
    return BOM + out.getvalue()
