"""The zip format, read without trusting it: names as raw bytes, sizes by counting.

Python's zipfile decodes names before anybody can look at them, fails a whole archive for one bad name and
builds an object of a kilobyte an entry; none of that suits archives from strangers.
Structure: APPNOTE.TXT 6.3.
"""

import bz2
import stat
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from django.utils.translation import gettext_noop

from datasets.reasons import NotAccepted
from web.sentences import Refusal

MAX_ENTRIES = 300_000
MAX_DIRECTORY_BYTES = 128 * 1024**2
CHUNK = 64 * 1024
STORED, DEFLATED, BZIP2 = 0, 8, 12
LOCAL_STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s4B4H3L5H2L")
_LOCAL_SIZE = 30


class NotAZip(Refusal):
    """The archive cannot be read at all."""

    code = "not-a-zip"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as the archive's directory states it; sizes are claims, not facts."""

    raw_name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    mode: int
    extra: bytes

    @property
    def is_folder(self) -> bool:
        """Folders end with a slash (with a backslash where Windows tools wrote them)."""
        named_so = self.raw_name.endswith((b"/", b"\\")) and self.size == 0
        return named_so or stat.S_ISDIR(self.mode)

    @property
    def says_utf8(self) -> bool:
        """The language flag of the format."""
        return bool(self.flags & 0x800)

    def refuse_what_cannot_be_read(self) -> None:
        """Raises NotAccepted for links, devices, passwords and unknown compressions."""
        if self.mode and stat.S_ISLNK(self.mode):
            raise NotAccepted("link")
        if self.mode and stat.S_IFMT(self.mode) not in (0, stat.S_IFREG):
            raise NotAccepted("special-file")
        if self.flags & 0x2041:  # a password, strong encryption, a masked directory
            raise NotAccepted("encrypted")
        if self.method not in _UNPACKERS:
            raise NotAccepted("encrypted" if self.method == 99 else "unknown-compression", method=self.method)


def read_directory(stream: BinaryIO) -> list[Entry]:
    """All entries of the archive, in its directory's order. Raises NotAZip."""
    length = stream.seek(0, 2)
    if length == 0:
        raise NotAZip(gettext_noop("The file is empty."))
    end, size, offset = _end_of(stream, length)
    shift = end - size - offset  # what stands before the archive, as in self-extracting ones
    if shift < 0 or size > MAX_DIRECTORY_BYTES:
        raise _damaged() if shift < 0 else _too_many()
    stream.seek(offset + shift)
    return list(_entries(stream.read(size), shift))


def _end_of(stream: BinaryIO, length: int) -> tuple[int, int, int]:
    """Where the directory ends, its size and its offset."""
    stream.seek(max(0, length - 65_557))
    base, tail = stream.tell(), stream.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        stream.seek(0)
        raise (
            _damaged() if stream.read(4) in LOCAL_STARTS else NotAZip(gettext_noop("The file is not a zip."))
        )
    _, disk, _, _, count, size, offset, _ = _END.unpack_from(tail, at)
    end = base + at
    if 0xFFFF in (disk, count) or 0xFFFFFFFF in (size, offset):
        return _end_of_zip64(stream, end) or (end, size, offset)
    if disk:
        raise NotAZip(gettext_noop("This is one part of a zip in several parts. Pack it in one."))
    return end, size, offset


def _end_of_zip64(stream: BinaryIO, end: int) -> tuple[int, int, int] | None:
    if end < _LOCATOR.size + _END64.size:
        return None
    stream.seek(end - _LOCATOR.size)
    mark, _, _, _ = _LOCATOR.unpack(stream.read(_LOCATOR.size))
    if mark != b"PK\x06\x07":
        return None
    at = end - _LOCATOR.size - _END64.size
    stream.seek(at)
    mark, _, _, _, _, _, _, _, size, offset = _END64.unpack(stream.read(_END64.size))
    if mark != b"PK\x06\x06":
        raise _damaged()
    return at, size, offset


def _entries(directory: bytes, shift: int) -> Iterator[Entry]:
    at, count = 0, 0
    while at < len(directory):
        if len(directory) - at < _ENTRY.size or directory[at : at + 4] != b"PK\x01\x02":
            raise _damaged()
        count += 1
        if count > MAX_ENTRIES:
            raise _too_many()
        fields = _ENTRY.unpack_from(directory, at)
        flags, method, crc, packed, size, names, extras, comments = (
            fields[i] for i in (5, 6, 9, 10, 11, 12, 13, 14)
        )
        attributes, offset = fields[17], fields[18]
        start = at + _ENTRY.size
        name, extra = directory[start : start + names], directory[start + names : start + names + extras]
        size, packed, offset = _wide(extra, size, packed, offset)
        yield Entry(
            raw_name=name,
            flags=flags,
            method=method,
            crc=crc,
            packed=packed,
            size=size,
            offset=offset + shift,
            mode=attributes >> 16,
            extra=extra if b"up" in extra else b"",
        )
        at = start + names + extras + comments


def _wide(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """Zip64: what does not fit into 32 bits stands in an extra field, in this order."""
    if 0xFFFFFFFF not in (size, packed, offset):
        return size, packed, offset
    field = extra_field(extra, 0x0001)
    wide = iter(struct.unpack(f"<{len(field) // 8}Q", field[: len(field) // 8 * 8]))
    try:
        size = next(wide) if size == 0xFFFFFFFF else size
        packed = next(wide) if packed == 0xFFFFFFFF else packed
        offset = next(wide) if offset == 0xFFFFFFFF else offset
    except StopIteration:
        raise _damaged() from None
    return size, packed, offset


def extra_field(extra: bytes, wanted: int) -> bytes:
    """One of the extra fields of an entry; empty where it is missing."""
    at = 0
    while at + 4 <= len(extra):
        mark, length = struct.unpack_from("<HH", extra, at)
        if mark == wanted:
            return extra[at + 4 : at + 4 + length]
        at += 4 + length
    return b""


def _damaged() -> NotAZip:
    return NotAZip(gettext_noop("The zip is damaged or was cut short. Pack or upload it again."))


def _too_many() -> NotAZip:
    return NotAZip(
        gettext_noop("The zip holds more than %(limit)s files. Split it into several."), limit=MAX_ENTRIES
    )


class _Unpacker(Protocol):
    def decompress(self, data: bytes, max_length: int = ...) -> bytes: ...


class _Plain:
    """What was stored as it is."""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        return data


_UNPACKERS: dict[int, Callable[[], _Unpacker]] = {
    STORED: _Plain,
    DEFLATED: lambda: zlib.decompressobj(-15),
    BZIP2: bz2.BZ2Decompressor,
}


def read_entry(stream: BinaryIO, entry: Entry, *, limit: int) -> bytes:
    """The entry's content, at most `limit` bytes whatever it claims. Raises NotAccepted."""
    content = b"".join(entry_pieces(stream, entry, limit + 1))
    if len(content) > limit:
        raise NotAccepted("too-many-bytes", limit_mb=f"{limit / 1024**2:g}")
    if zlib.crc32(content) != entry.crc:
        raise NotAccepted("damaged-entry")
    return content


def entry_pieces(stream: BinaryIO, entry: Entry, most: int) -> Iterator[bytes]:
    """The entry's content bit by bit, at most so many bytes. Raises NotAccepted."""
    entry.refuse_what_cannot_be_read()
    stream.seek(entry.offset)
    head = stream.read(_LOCAL_SIZE)
    if len(head) < _LOCAL_SIZE or head[:4] != b"PK\x03\x04":
        raise NotAccepted("damaged-entry")
    names, extras = struct.unpack("<HH", head[26:30])
    stream.seek(names + extras, 1)
    try:
        yield from _unpacked(stream, entry, most)
    except (zlib.error, OSError, EOFError, ValueError) as error:
        raise NotAccepted("damaged-entry") from error


def _unpacked(stream: BinaryIO, entry: Entry, most: int) -> Iterator[bytes]:
    """Pieces of the content until its end or until `most` bytes came out."""
    unpacker: _Unpacker = _UNPACKERS[entry.method]()
    left, room = entry.packed, most
    while room > 0 and left > 0:
        data = stream.read(min(CHUNK, left))
        if not data:
            raise EOFError
        left -= len(data)
        piece = unpacker.decompress(data, room)[:room]
        room -= len(piece)
        yield piece
        if getattr(unpacker, "eof", False):
            return
