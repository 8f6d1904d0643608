"""Google AutoML's table: `[SET,]uri,label`, without a first row of names.

https://cloud.google.com/vertex-ai/docs/image-data/classification/prepare-data
"""

from datasets.formats.documents import Document, Said, is_link, split_of

SETS = {"TRAINING", "TRAIN", "VALIDATION", "VALIDATE", "TEST", "UNASSIGNED", ""}


def read(document: Document) -> list[Said] | None:
    """What the table says; its first row must hold an address."""
    if not document.table:
        return None
    cells = document.table[0][1]
    if not (is_link(cells[0]) or (len(cells) > 1 and cells[0].upper() in SETS and is_link(cells[1]))):
        return None
    return [said(number, row) for number, row in document.table]


def said(number: int, row: list[str]) -> Said:
    """One row; more than one label is a problem."""
    wish = ""
    if row[0].upper() in SETS:
        wish, row = split_of(row[0]), row[1:]
    labels = [cell for cell in row[1:] if cell]
    if not row or not row[0]:
        return Said(number, "", problem="manifest-row")
    if len(labels) > 1:
        return Said(number, row[0], problem="manifest-labels")
    return Said(number, row[0], labels[0] if labels else "", wish)
