"""A zip that is written piece by piece and goes on where a killed process stopped.

Pictures are packed as they are, nothing is held in memory but the list of names. A journal beside the zip says which
entries are whole; what stands behind them is cut off and packed again.
"""

import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import TracebackType
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

FIELDS = ("filename", "CRC", "compress_size", "file_size", "header_offset", "compress_type")
UTF8 = 0x800
PLAIN_FILE = 0o100644 << 16


class Damaged(Exception):
    """What lies in the folder is no whole zip; packing begins anew."""


class Parcel:
    """A zip in a folder of its own. `packed`: how many entries of an earlier attempt it holds."""

    def __init__(self, folder: Path, when: datetime) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path, self._journal = folder / "zip", folder / "journal"
        self._when = max(when.timetuple()[:6], (1980, 1, 1, 0, 0, 0))
        found, end = journalled(self._journal)
        if end > (self.path.stat().st_size if self.path.exists() else 0):
            found, end = [], 0
        self.path.touch()
        self._stream = self.path.open("r+b")
        self._stream.truncate(end)
        self._stream.seek(end)
        self._zip = ZipFile(self._stream, "w", ZIP_STORED, allowZip64=True)
        self._zip.filelist += [self._info(entry) for entry in found]
        self.packed = self._kept = len(found)

    def __enter__(self) -> "Parcel":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.fp = None  # or its end would write a directory behind what is whole
        self._stream.close()

    def _info(self, entry: dict[str, int | str]) -> ZipInfo:
        info = ZipInfo(str(entry["filename"]), self._when)
        for name, value in entry.items():
            setattr(info, name, value)
        if not info.filename.isascii():
            info.flag_bits |= UTF8
        info.external_attr = PLAIN_FILE
        return info

    @property
    def names(self) -> list[str]:
        """What is in it."""
        return [info.filename for info in self._zip.filelist]

    def add(self, name: str, content: bytes, *, pack: bool = False) -> None:
        """One more file; `pack` where it is worth the time."""
        info = ZipInfo(name, self._when)
        info.external_attr = PLAIN_FILE
        self._zip.writestr(info, content, ZIP_DEFLATED if pack else ZIP_STORED)

    def keep(self) -> None:
        """What was added so far outlives whatever happens to this process."""
        self._stream.flush()
        os.fsync(self._stream.fileno())
        new = self._zip.filelist[self._kept :]
        lines = [json.dumps({field: getattr(info, field) for field in FIELDS}) for info in new]
        with self._journal.open("a") as journal:
            journal.write("\n".join([*lines, json.dumps({"end": self._zip.start_dir}), ""]))
        self._kept = len(self._zip.filelist)

    def finish(self) -> Path:
        """Write the directory; the zip is whole. Raises Damaged where an earlier attempt left something else."""
        self._zip.close()
        self._stream.flush()
        os.fsync(self._stream.fileno())
        if self.packed:
            check(self.path)
        return self.path


def journalled(journal: Path) -> tuple[list[dict[str, int | str]], int]:
    """The entries that are whole, and where they end."""
    entries: list[dict[str, int | str]] = []
    whole, end = 0, 0
    for line in whole_lines(journal):
        if "end" in line:
            whole, end = len(entries), int(line["end"])
        else:
            entries.append(line)
    return entries[:whole], end


def whole_lines(journal: Path) -> Iterator[dict[str, int | str]]:
    """The lines up to one that was cut short."""
    text = journal.read_text() if journal.exists() else ""
    for line in text.split("\n")[:-1]:
        try:
            yield json.loads(line)
        except ValueError:
            return


def check(path: Path) -> None:
    """Read it once. Raises Damaged."""
    with ZipFile(path) as written:
        if broken := written.testzip():
            raise Damaged(broken)
