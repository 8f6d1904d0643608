"""Zips from strangers: what they offer, read one file at a time and never unpacked to disk."""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from django.conf import settings
from django.utils.translation import gettext_noop

from datasets.archive_names import (
    encoding_of,
    foreign_among,
    is_litter,
    parts_of,
    refuse_unsafe,
    says_nothing,
    shown,
    text_of,
)
from datasets.reasons import NotAccepted
from datasets.zipformat import LOCAL_STARTS, Entry, NotAZip, entry_pieces, read_directory, read_entry

# A zip of pictures hardly shrinks. What unpacks to this many times its size, past this floor, is not one.
MOST_TIMES = 100
FLOOR_BYTES = 512 * 1024**2
TABLE = ".csv"


@dataclass(frozen=True, slots=True)
class Offered:
    """One file that an import was offered. `load` gives its bytes or raises NotAccepted."""

    name: str  # with its folders, as people know it
    folder: str  # that directly holds it; empty at the root
    load: Callable[[], bytes]
    split: str = ""  # a wish: train, validation or test


class Archive:
    """An open zip. `encoding` is how unmarked names are read: found out, or as somebody said."""

    def __init__(self, path: Path, encoding: str = "") -> None:
        self._stream: BinaryIO = path.open("rb")
        self._read = 0
        try:
            entries = [entry for entry in read_directory(self._stream) if not entry.is_folder]
            self._most = most_bytes(path.stat().st_size)
            # What could be read in several ways, for a person who is asked
            self.unmarked = foreign_among([entry.raw_name for entry in entries if says_nothing(entry)])
            self.encoding = encoding or encoding_of(self.unmarked)
            self._entries: dict[int, Entry] = {}
            self.offered = self._offers(entries)
        except BaseException:
            self._stream.close()
            raise

    def __enter__(self) -> "Archive":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()

    def _offers(self, entries: list[Entry]) -> list[Offered]:
        overlapping = overlaps(entries)
        found = []
        for entry in entries:
            name = text_of(entry, self.encoding)
            parts = parts_of(name)
            if is_litter(parts):
                continue
            folder = parts[-2] if len(parts) > 1 else ""
            load = self._loader(entry, name, parts, entry.offset in overlapping)
            found.append(Offered(shown("/".join(parts)), folder, load))
            if parts[-1].lower().endswith(TABLE):
                self._entries[len(found) - 1] = entry
        if not found:
            raise NotAZip(gettext_noop("The zip holds no files. Pack the folders with your pictures."))
        return found

    def large_tables(self, begins: bytes) -> Iterator[tuple[int, Callable[[BinaryIO], None]]]:
        """The places of tables among `offered` whose first line begins so, each with what writes it to a file."""
        for place, entry in self._entries.items():
            try:
                head = next(entry_pieces(self._stream, entry, len(begins) + 3), b"")
            except NotAccepted:
                continue
            if head.removeprefix(b"\xef\xbb\xbf").lower().startswith(begins):
                yield place, partial(self._unpack, entry)

    def _unpack(self, entry: Entry, target: BinaryIO) -> None:
        """Write a whole entry, of any size that the archive may have. Raises NotAccepted."""
        crc = 0
        for piece in entry_pieces(self._stream, entry, self._most - self._read + 1):
            crc = zlib.crc32(piece, crc)
            self._read += len(piece)
            if self._read > self._most:
                raise NotAccepted("archive-bomb")
            target.write(piece)
        target.flush()
        if crc != entry.crc:
            raise NotAccepted("damaged-entry")

    def _loader(self, entry: Entry, name: str, parts: list[str], overlapping: bool) -> Callable[[], bytes]:
        def load() -> bytes:
            refuse_unsafe(name, parts)
            if overlapping:
                raise NotAccepted("damaged-entry")
            if self._read > self._most:
                raise NotAccepted("archive-bomb")
            try:
                content = read_entry(self._stream, entry, limit=settings.MAX_FILE_BYTES)
            except NotAccepted as refusal:
                self._read += settings.MAX_FILE_BYTES if refusal.code == "too-many-bytes" else 0
                raise
            self._read += len(content)
            if content[:4] in LOCAL_STARTS:
                raise NotAccepted("nested-archive")
            return content

        return load


def most_bytes(size: int) -> int:
    """How many bytes a zip of this size may unpack to before reading stops."""
    return min(4 * settings.MAX_ARCHIVE_BYTES, max(FLOOR_BYTES, MOST_TIMES * size))


def overlaps(entries: list[Entry]) -> set[int]:
    """Offsets of entries that share bytes with another: an honest packer never writes such."""
    found: set[int] = set()
    widest, end = -1, -1
    for entry in sorted(entries, key=lambda each: each.offset):
        if entry.packed and entry.offset < end:
            found |= {widest, entry.offset}
        this_end = entry.offset + 30 + len(entry.raw_name) + entry.packed
        if this_end > end:
            widest, end = entry.offset, this_end
    return found


def looks_like_a_zip(head: bytes) -> bool:
    """By its first four bytes."""
    return head[:4] in LOCAL_STARTS
