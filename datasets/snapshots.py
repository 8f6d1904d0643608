"""The tagged content of a data set at one moment, frozen: sorted, hashed, kept as rows in the storage."""

import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import MISSING, asdict, dataclass, fields

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext_noop

from datasets.models import Dataset, Image, Snapshot
from web import storage
from web.sentences import Refusal


class NothingTagged(Refusal):
    """No picture carries one of the labels."""

    code = "nothing-tagged"
    status = 422


class LabelsMissing(Refusal):
    """Labels that the data set does not have."""

    code = "unknown-label"
    status = 404


@dataclass(frozen=True, slots=True)
class Row:
    """One tagged picture, with what a fair split needs: its hash for near copies, its place for bursts."""

    image: int
    name: str
    sha256: str
    key: str
    label: str
    difference_hash: int | None
    source_import: int | None
    position: int
    split: str = ""  # what an import wished: train, validation or test
    group: str = ""  # pictures with the same mark belong together, such as a burst


COLUMNS = [field.name for field in fields(Row)]
# Columns that came later: left out where they say nothing, so that older content keeps its bytes.
LATER = {field.name: field.default for field in fields(Row) if field.default is not MISSING}


def take_snapshot(
    *, dataset: Dataset, label_names: Sequence[str] | None = None, user: User | None, name: str = ""
) -> Snapshot:
    """Freeze the pictures with these labels (None: with any). The same content gives the same row.

    Raises LabelsMissing, NothingTagged.
    """
    rows = sorted(_tagged(dataset, label_names), key=lambda row: (row.label, row.sha256))
    if not rows:
        raise NothingTagged(
            gettext_noop("No picture of “%(dataset)s” has a label yet."), dataset=dataset.name
        )
    lines = "".join(map(line_of, rows))
    key = storage.put_bytes("snapshots", gzip.compress(lines.encode(), mtime=0), ".jsonl.gz")
    with transaction.atomic():
        same = Snapshot.objects.filter(dataset=dataset, key=key, name=name).first()
        return same or Snapshot.objects.create(
            dataset=dataset,
            name=name,
            content_hash=content_hash(rows),
            key=key,
            images=len(rows),
            labels=dict(Counter(row.label for row in rows)),
            created_by=user,
        )


def line_of(row: Row) -> str:
    """A row as it is kept."""
    kept = {key: value for key, value in asdict(row).items() if value != LATER.get(key, MISSING)}
    return json.dumps(kept, ensure_ascii=False, sort_keys=True) + "\n"


def _tagged(dataset: Dataset, label_names: Sequence[str] | None) -> list[Row]:
    images = Image.objects.live().filter(dataset=dataset).exclude(label=None)
    if label_names is not None:
        found = set(dataset.labels.filter(name__in=label_names).values_list("name", flat=True))
        if missing := sorted(set(label_names) - found):
            raise LabelsMissing(
                gettext_noop("“%(dataset)s” has no labels of these names: %(labels)s."),
                dataset=dataset.name,
                labels=", ".join(missing[:10]),
            )
        images = images.filter(label__name__in=label_names)
    columns = (
        "pk", "name", "sha256", "key", "label__name", "difference_hash", "source_id", "position", "split", "group",
    )  # fmt: skip
    return [Row(*values) for values in images.values_list(*columns).iterator(chunk_size=5000)]


def content_hash(rows: Sequence[Row]) -> str:
    """A hash of what is learned from: which pictures under which labels, and which side was wished for them.

    File names do not count, and neither does a wish that nobody made.
    """
    digest = hashlib.sha256()
    for sha256, label, split in sorted((row.sha256, row.label, row.split) for row in rows):
        wish = f"/{split}" if split else ""  # no label holds a slash
        digest.update(f"{sha256} {label}{wish}\n".encode())
    return digest.hexdigest()


def rows_of(snapshot: Snapshot) -> list[Row]:
    """The frozen rows, sorted by label and picture."""
    lines = gzip.decompress(storage.read(snapshot.key)).decode().split("\n")[:-1]
    return [
        Row(**{column: values[column] for column in COLUMNS if column in values})
        for values in map(json.loads, lines)
    ]
