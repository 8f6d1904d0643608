"""Hugging Face's `imagefolder`: metadata.csv or metadata.jsonl with `file_name` beside the pictures.

https://huggingface.co/docs/datasets/image_dataset
"""

from collections.abc import Mapping

from datasets.formats.documents import Document, Said, split_of

NAME = "file_name"
LABELS = ("label", "labels", "class", "category")


def read(document: Document) -> list[Said] | None:
    """What the file says; without a column of labels, the folders say them."""
    if NAME in document.header:
        header = document.header
        rows = [(number, dict(zip(header, row, strict=False))) for number, row in document.table[1:]]
        return [said(number, row) for number, row in rows]
    if document.objects and NAME in document.objects[0][1]:
        return [said(number, each) for number, each in document.objects]
    return None


def said(number: int, row: Mapping[str, object]) -> Said:
    """One row."""
    name = str(row.get(NAME) or "")
    if not name:
        return Said(number, "", problem="manifest-row")
    key = next((key for key in LABELS if key in row), None)
    value = row.get(key) if key else None
    if isinstance(value, list) and len(value) != 1:
        return Said(number, name, problem="manifest-labels")
    if isinstance(value, list):
        [value] = value
    label = None if key is None else "" if value is None else str(value)
    return Said(number, name, label, split_of(row.get("split")))
