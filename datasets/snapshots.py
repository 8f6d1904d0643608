"""The tagged content of a data set at one moment, frozen: sorted, hashed, kept as rows in the storage."""

import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

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


COLUMNS = [field.name for field in fields(Row)]


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
    lines = "".join(json.dumps(asdict(row), ensure_ascii=False, sort_keys=True) + "\n" for row in rows)
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
    columns = ("pk", "name", "sha256", "key", "label__name", "difference_hash", "source_id", "position")
    return [Row(*values) for values in images.values_list(*columns).iterator(chunk_size=5000)]


def content_hash(rows: Sequence[Row]) -> str:
    """A hash of what is learned from: which pictures under which labels; file names do not count."""
    digest = hashlib.sha256()
    for sha256, label in sorted((row.sha256, row.label) for row in rows):
        digest.update(f"{sha256} {label}\n".encode())
    return digest.hexdigest()


def rows_of(snapshot: Snapshot) -> list[Row]:
    """The frozen rows, sorted by label and picture."""
    lines = gzip.decompress(storage.read(snapshot.key)).decode().split("\n")[:-1]
    return [Row(**{column: values[column] for column in COLUMNS}) for values in map(json.loads, lines)]
