"""The confusion matrix as a page shows it: shaded, and cut down where there are very many labels."""

from typing import Any

MOST = 30


def largest_part(matrix: dict[str, Any]) -> dict[str, Any]:
    """Rows of cells with their shade (0 to 9 by the share of the row). Of more than 30 labels, those that are
    confused most; `left_out` says how many are not shown."""
    names, counts = matrix["labels"], matrix["counts"]
    kept = list(range(len(names)))
    if len(names) > MOST:
        wrong = [_errors(counts, at) for at in kept]
        kept = sorted(sorted(kept, key=lambda at: -wrong[at])[:MOST])
    rows = [{"name": names[at], "cells": [_cell(names, counts, at, other) for other in kept]} for at in kept]
    return {"names": [names[at] for at in kept], "rows": rows, "left_out": len(names) - len(kept)}


def _errors(counts: list[list[int]], at: int) -> int:
    row, column = sum(counts[at]), sum(each[at] for each in counts)
    return row + column - 2 * counts[at][at]


def _cell(names: list[str], counts: list[list[int]], row: int, column: int) -> dict[str, Any]:
    count, total = counts[row][column], sum(counts[row])
    heat = 0 if not count else 1 + min(8, int(9 * count / total))
    return {"count": count, "heat": heat, "right": row == column, "predicted": names[column]}
