"""The tagged content of a data set at one moment, frozen: sorted, hashed, kept as rows in the storage."""

import gzip
import hashlib
import io
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext_noop

from datasets.models import Dataset, Image, Snapshot
from projects import audit
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


class BadName(Refusal):
    """Not a name that a snapshot can have."""

    code = "bad-name"
    status = 422


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


LONGEST_NAME = 80
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


def take_named(
    *, dataset: Dataset, label_names: Sequence[str] | None = None, user: User, name: str
) -> Snapshot:
    """As `take_snapshot`, under a name that people gave. Raises BadName, LabelsMissing, NothingTagged."""
    made = take_snapshot(dataset=dataset, label_names=label_names, user=user, name=clean_name(name))
    audit.note(user, "snapshot.take", project=dataset.project, target=str(made), hash=made.content_hash)
    return made


def line_of(row: Row) -> str:
    """A row as it is kept."""
    kept = {key: value for key, value in asdict(row).items() if value != LATER.get(key, MISSING)}
    return json.dumps(kept, ensure_ascii=False, sort_keys=True) + "\n"


def rename_snapshot(*, snapshot: Snapshot, name: str, user: User) -> Snapshot:
    """Call it otherwise; the name is not content. Raises BadName."""
    before, snapshot.name = snapshot.name, clean_name(name)
    snapshot.save(update_fields=["name"])
    audit.note(user, "snapshot.rename", project=snapshot.dataset.project, target=snapshot.name, before=before)
    return snapshot


def clean_name(text: str) -> str:
    """Trimmed. Raises BadName."""
    name = " ".join(text.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise BadName(
            gettext_noop("A snapshot needs a name of at most %(most)s characters."), most=LONGEST_NAME
        )
    return name


def rows_now(dataset: Dataset) -> list[Row]:
    """What a snapshot of all labels would hold now."""
    return _tagged(dataset, None)


@dataclass(frozen=True)
class Use:
    """Something of a higher room that was made from a snapshot."""

    name: str
    url: str


Uses = Callable[[Sequence[Snapshot]], Mapping[int, Sequence[Use]]]
_uses: list[Uses] = []


def register_uses(uses: Uses) -> None:
    """A higher room tells, at start-up, how to find what it made from snapshots: {snapshot: [use, …]}."""
    if uses not in _uses:
        _uses.append(uses)


def uses_of(snapshots: Sequence[Snapshot]) -> dict[int, list[Use]]:
    """Who uses which."""
    found: dict[int, list[Use]] = {}
    for uses in _uses:
        for pk, some in uses(snapshots).items():
            found.setdefault(pk, []).extend(some)
    return found


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


def labels_of(snapshot: Snapshot) -> dict[str, str]:
    """Each picture's label by the hash of its content, without making a row of each of perhaps a million."""
    with gzip.open(io.BytesIO(storage.read(snapshot.key)), "rt", encoding="utf-8", newline="\n") as lines:
        return {values["sha256"]: values["label"] for values in map(json.loads, lines)}


def rows_of(snapshot: Snapshot) -> list[Row]:
    """The frozen rows, sorted by label and picture."""
    lines = gzip.decompress(storage.read(snapshot.key)).decode().split("\n")[:-1]
    return [
        Row(**{column: values[column] for column in COLUMNS if column in values})
        for values in map(json.loads, lines)
    ]
