"""The rows of an import's batch: a picture, a duplicate or a refusal a file, in one transaction."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from datasets.archive_names import shown
from datasets.choices import Choices
from datasets.conflicts import note
from datasets.labels import BadLabel, TooManyLabels, clean_name, find_label, find_or_create
from datasets.live import note_labels, note_pictures
from datasets.models import Dataset, Image, Import, Label, NotTaken, Outcome
from datasets.preparing import Prepared
from datasets.reasons import NotAccepted
from jobs.attempts import Attempt

# Two imports of the same pictures meet at the unique constraint; the second looks again and finds duplicates.
TRIES = 5


@dataclass(slots=True)
class Candidate:
    """One file on its way: what is known about it so far."""

    position: int
    name: str
    folder: str
    split: str = ""
    content: bytes = b""
    sha256: str = ""
    prepared: Prepared | None = None
    refusal: NotAccepted | None = None


def known_pictures(dataset: Dataset, batch: Iterable[Candidate]) -> dict[str, Image]:
    """The data set's pictures (those in the trash too) with the same bytes as a candidate."""
    wanted = {candidate.sha256 for candidate in batch if candidate.sha256}
    rows = Image.objects.filter(dataset=dataset, sha256__in=wanted).select_related("label")
    return {image.sha256: image for image in rows}


def record(attempt: Attempt, found: Import, batch: list[Candidate]) -> None:
    """Write the batch if the job is still ours. Afterwards `found` carries the new counts."""
    for left in reversed(range(TRIES)):
        try:
            with transaction.atomic():
                attempt.hold()
                counts = _write(found, batch)
                note_pictures(found.dataset, found.created_by, counts[0] - found.imported)
            break
        except IntegrityError:
            if not left:
                raise
    found.imported, found.duplicates, found.rejected = counts


def _write(found: Import, batch: list[Candidate]) -> tuple[int, int, int]:
    known = known_pictures(found.dataset, batch)
    labels = _Labels(found)
    new: list[Image] = []
    restored: list[Image] = []
    not_taken: list[NotTaken] = []
    conflicts: list[tuple[Image, Label, str]] = []
    for candidate in batch:
        try:
            if candidate.refusal:
                raise candidate.refusal
            label = labels.of(candidate)
            image = known.get(candidate.sha256)
            if image is None:
                image = _new_image(found, candidate, label)
                new.append(image)
            elif image.trashed_at is not None:
                _restore(image, found, candidate, label)
                restored.append(image)
            else:
                not_taken.append(_duplicate(found, candidate, label, image))
                if label and image.label and label.pk != image.label.pk:
                    conflicts.append((image, label, shown(candidate.name)))
            known[candidate.sha256] = image
        except NotAccepted as refusal:
            not_taken.append(_row(found, candidate, Outcome.REJECTED, refusal))
    if labels.made_some:
        note_labels(found.dataset, found.created_by)
    Image.objects.bulk_create(new)
    Image.objects.bulk_update(
        restored, ["trashed_at", "source", "position", "name", "label", "split", "group", "last_action"]
    )
    NotTaken.objects.bulk_create(not_taken)
    note(found, conflicts)
    duplicates = sum(row.outcome == Outcome.DUPLICATE for row in not_taken)
    counts = (
        found.imported + len(new) + len(restored),
        found.duplicates + duplicates,
        found.rejected + len(not_taken) - duplicates,
    )
    Import.objects.filter(pk=found.pk).update(imported=counts[0], duplicates=counts[1], rejected=counts[2])
    return counts


class _Labels:
    """The labels that a batch's folders stand for, made as they are met. They are told of once a batch: each telling

    is a commit of its own, and with a thousand labels nobody else came to write."""

    def __init__(self, found: Import) -> None:
        self.made_some = False
        self._import, self._made = found, dict[str, Label | NotAccepted | None]()
        self._choices = Choices.of(found)

    def of(self, candidate: Candidate) -> Label | None:
        """The label of a candidate's folder; raises NotAccepted."""
        folder = candidate.folder or self._import.label_name
        if folder not in self._made:
            name = self._choices.label_for(folder)
            self._made[folder] = self._find(name) if name else None
        label = self._made[folder]
        if isinstance(label, NotAccepted):
            raise label
        return label

    def _find(self, folder: str) -> Label | NotAccepted:
        try:
            name, dataset = clean_name(folder), self._import.dataset
            found = find_label(dataset, name)
            self.made_some |= found is None
            return found or find_or_create(
                dataset=dataset, name=name, user=self._import.created_by, told=False
            )
        except BadLabel:
            return NotAccepted("bad-label", folder=shown(folder, 80))
        except TooManyLabels as refusal:
            return NotAccepted("too-many-labels", limit=refusal.sentence.values["limit"])


def _new_image(found: Import, candidate: Candidate, label: Label | None) -> Image:
    prepared = candidate.prepared
    if prepared is None:  # known when it was read, gone from the data set since: a moment's race
        raise IntegrityError("the picture that this one repeated is gone")
    return Image(
        dataset=found.dataset,
        source=found,
        position=candidate.position,
        name=_file_name(candidate),
        sha256=candidate.sha256,
        key=prepared.key,
        thumbnail_key=prepared.thumbnail_key,
        format=prepared.format,
        bytes=prepared.bytes,
        width=prepared.width,
        height=prepared.height,
        difference_hash=prepared.difference_hash,
        grey=prepared.grey,
        label=label,
        split=candidate.split,
        group=found.group,
    )


def _restore(image: Image, found: Import, candidate: Candidate, label: Label | None) -> None:
    """A picture that lies in the trash comes back as if it were new; its files are still there."""
    image.trashed_at, image.last_action = None, None
    image.source, image.position, image.name = found, candidate.position, _file_name(candidate)
    image.label, image.split, image.group = label or image.label, candidate.split, found.group


def _duplicate(found: Import, candidate: Candidate, label: Label | None, same: Image) -> NotTaken:
    values = {"name": same.name}
    code = "duplicate"
    if label and same.label and label.name != same.label.name:
        code = "duplicate-other-label"
        values |= {"label": same.label.name, "folder": label.name}
    row = _row(found, candidate, Outcome.DUPLICATE, NotAccepted(code, **values))
    row.same_as = same
    return row


def _row(found: Import, candidate: Candidate, outcome: Outcome, refusal: NotAccepted) -> NotTaken:
    return NotTaken(
        source=found,
        position=candidate.position,
        name=shown(candidate.name),
        outcome=outcome,
        code=refusal.code,
        reason=refusal.sentence.to_json(),
    )


def _file_name(candidate: Candidate) -> str:
    return shown(candidate.name.rsplit("/", 1)[-1], 255)
