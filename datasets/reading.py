"""An import's uploads, open for reading: all their files in one fixed order."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_noop

from datasets.archive_names import is_sure, readings
from datasets.archives import Archive, Offered
from datasets.formats import fer2013
from datasets.formats.matching import with_labels
from datasets.label_lists import Kept, taken_out
from datasets.links.offering import link_offers
from datasets.models import Import
from datasets.planning import Plan
from datasets.reasons import NotAccepted
from datasets.zipformat import NotAZip
from jobs.attempts import Attempt
from web import storage
from web.sentences import Sentence


@dataclass
class Reading:
    """What the uploads hold.

    `labels`: those that an export wrote down; `unmarked`: names that leave their encoding open; `encoding`: as they
    were read.
    """

    files: list[Offered] = field(default_factory=list)
    manifests: list[tuple[str, bytes]] = field(default_factory=list)
    labels: list[Kept] = field(default_factory=list)
    unmarked: list[bytes] = field(default_factory=list)
    encoding: str = "utf-8"
    fer: bool = False

    @property
    def note(self) -> Sentence | None:
        """A word on how the names were read, where that was a guess."""
        if self.encoding == "utf-8":
            return None
        return Sentence(gettext_noop("Names in the zip were read as %(encoding)s."), encoding=self.encoding)

    def ask_about_names(self, plan: Plan, said: str) -> None:
        """Put into the plan how the names can be read. `said`: a person has said it already."""
        if self.unmarked:
            plan.encoding, plan.readings = self.encoding, readings(self.unmarked)
            plan.sure = bool(said) or is_sure(self.unmarked, self.encoding)


@contextmanager
def uploads_of(attempt: Attempt, found: Import) -> Iterator[Reading]:
    """All files of all uploads, with the labels that lists among them give."""
    with ExitStack() as opened:
        reading = Reading()
        links: list[Offered] = []
        scratch = cache(lambda: Path(opened.enter_context(scratch_folder())))
        alone = sum(not each.get("manifest") for each in found.sources) == 1
        for source in found.sources:
            attempt.check()
            path = opened.enter_context(storage.local_copy(source["key"]))
            if source.get("links"):
                links += opened.enter_context(link_offers(path, attempt.check))
                continue
            if not source["archive"]:
                read_plain(reading, source, path)
                continue
            try:
                archive = opened.enter_context(Archive(path, found.encoding))
            except NotAZip:
                if alone:
                    raise
                reading.files.append(Offered(source["name"], "", unreadable))
                continue
            read_archive(reading, archive, scratch)
        reading.files, reading.labels = taken_out(reading.files)
        reading.files = with_labels(reading.files, reading.manifests) + links
        yield reading


def read_plain(reading: Reading, source: dict[str, Any], path: Path) -> None:
    """A file by itself: a list of labels, a table of pixels, or else a picture."""
    if source.get("manifest"):
        reading.manifests.append((source["name"], path.read_bytes()))
    elif rows := fer2013.offers(path, source["name"]):
        reading.files += rows
        reading.fer = True
    else:
        reading.files.append(Offered(source["name"], "", path.read_bytes))


def read_archive(reading: Reading, archive: Archive, scratch: Callable[[], Path]) -> None:
    """A zip."""
    files, fer = fer2013.unpacked(archive, scratch)
    reading.files += files
    reading.fer |= fer
    reading.unmarked += archive.unmarked
    if archive.encoding != "utf-8":
        reading.encoding = archive.encoding


def scratch_folder() -> "tempfile.TemporaryDirectory[str]":
    """Where tables too large for the memory lie while they are read."""
    return tempfile.TemporaryDirectory(dir=storage.temporary_folder(), prefix="import-")


def unreadable() -> bytes:
    """One bad zip among several uploads is refused by itself."""
    raise NotAccepted("not-a-zip")
