"""Files that say which picture has which label: a small module a format, each known by its content.

A module has one function, `read(document) -> list[Said] | None`: what the file says, row by row, or None where it
is of another format. Its name comes into FORMATS, before those that would take its files too.
"""

from collections.abc import Callable

from datasets.formats import google, imagefolder, label_studio, manifest, vertex
from datasets.formats.documents import Document, Said

FORMATS: tuple[Callable[[Document], list[Said] | None], ...] = (
    vertex.read,
    label_studio.read,
    imagefolder.read,
    google.read,
    manifest.read,
)
ENDINGS = (".csv", ".tsv", ".json", ".jsonl", ".ndjson")


def said_by(name: str, content: bytes) -> list[Said] | None:
    """What a file says about pictures; None: nothing that is understood here."""
    document = Document(name, content)
    for read in FORMATS:
        said = read(document)
        if said:
            return said
    return None
