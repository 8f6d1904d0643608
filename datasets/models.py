"""Data sets: pictures, their labels, where they came from, and every change of a tag."""

import uuid

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from jobs.models import Job
from projects.models import Project
from web.sentences import Sentence

LABEL_NAME = RegexValidator(
    r"^[^/\\:\x00-\x1f\x7f-\x9f]{1,64}$",
    _("A label is at most 64 characters, without / \\ : and control characters."),
)


class Dataset(models.Model):
    """Pictures with one label each."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="datasets")
    name = models.CharField(_("name"), max_length=80)
    description = models.TextField(_("description"), blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    trashed_at = models.DateTimeField(_("in the trash since"), null=True, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = _("data set"), _("data sets")
        constraints = [
            models.UniqueConstraint(
                fields=["project", "name"], condition=models.Q(trashed_at=None), name="data_set_names_differ"
            )
        ]

    def __str__(self) -> str:
        return self.name


class LiveLabels(models.Manager["Label"]):
    """Labels in use; those taken away stay for the undo and for what older snapshots and acts name."""

    def get_queryset(self) -> models.QuerySet["Label"]:
        return super().get_queryset().filter(archived_at=None)


class Label(models.Model):
    """A class that pictures can have. One deleted or merged is archived, so that an undo brings it back."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="labels")
    name = models.CharField(_("name"), max_length=64, validators=[LABEL_NAME])
    colour = models.CharField(_("colour"), max_length=7, default="#2563eb")
    position = models.PositiveIntegerField(_("position"), default=0)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    archived_at = models.DateTimeField(_("removed"), null=True, blank=True)

    objects = LiveLabels()
    every = models.Manager["Label"]()

    class Meta:
        verbose_name, verbose_name_plural = _("label"), _("labels")
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "name"], condition=models.Q(archived_at=None), name="label_names_differ"
            )
        ]

    def __str__(self) -> str:
        return self.name


class ImportState(models.TextChoices):
    """receiving → queued → reading → [choosing] → storing → ready | failed | cancelled | undone."""

    RECEIVING = "receiving", _("Receiving")
    QUEUED = "queued", _("Queued")
    READING = "reading", _("Reading")
    CHOOSING = "choosing", _("Waiting for your choice")
    STORING = "storing", _("Storing")
    READY = "ready", _("Ready")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")
    UNDONE = "undone", _("Undone")


class Import(models.Model):
    """One upload on its way into a data set; `total = imported + duplicates + rejected` once it is ready."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="imports")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    state = models.CharField(
        _("state"), max_length=16, choices=ImportState.choices, default=ImportState.RECEIVING
    )
    # What was uploaded: [{"key": storage key, "name": the file's name, "archive": true|false}, …]
    sources = models.JSONField(default=list)
    label_name = models.CharField(_("label for loose files"), max_length=64, blank=True)
    encoding = models.CharField(_("encoding of names in the zip"), max_length=32, blank=True)
    total = models.PositiveIntegerField(_("files"), default=0)
    imported = models.PositiveIntegerField(_("imported"), default=0)
    duplicates = models.PositiveIntegerField(_("duplicates"), default=0)
    rejected = models.PositiveIntegerField(_("refused"), default=0)
    message = models.JSONField(default=dict, blank=True)
    job = models.ForeignKey(Job, models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name, verbose_name_plural = _("import"), _("imports")

    def __str__(self) -> str:
        return f"{self.dataset} · {self.pk}"

    @property
    def sentence(self) -> Sentence:
        """Why it failed, or what is worth knowing, in the reader's language."""
        return Sentence.from_json(self.message)

    @property
    def fraction(self) -> float:
        """Progress from 0 to 1."""
        if self.state == ImportState.READY:
            return 1.0
        return min((self.imported + self.duplicates + self.rejected) / self.total, 1.0) if self.total else 0.0


class Upload(models.Model):
    """A file that arrives in pieces; `offset` of its `length` bytes are safe on the disk. Its id is its secret."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("forgotten at"), db_index=True)
    name = models.CharField(_("file"), max_length=255, blank=True)
    metadata = models.TextField(blank=True)  # as the client sent it
    length = models.BigIntegerField(_("bytes"))
    offset = models.BigIntegerField(_("bytes received"), default=0)
    taken_by = models.ForeignKey(Import, models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name, verbose_name_plural = _("upload"), _("uploads")

    def __str__(self) -> str:
        return self.name or self.pk.hex


class Outcome(models.TextChoices):
    """Why a file of an import has no picture of its own."""

    REJECTED = "rejected", _("Refused")
    DUPLICATE = "duplicate", _("Duplicate")


class NotTaken(models.Model):
    """A file that an import did not take, and why: nothing is dropped in silence."""

    source = models.ForeignKey(Import, models.CASCADE, related_name="not_taken")
    position = models.PositiveIntegerField()
    name = models.CharField(_("file"), max_length=500)
    outcome = models.CharField(_("outcome"), max_length=16, choices=Outcome.choices)
    code = models.CharField(_("code"), max_length=40)
    reason = models.JSONField(default=dict)
    same_as = models.ForeignKey("Image", models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name, verbose_name_plural = _("file not taken"), _("files not taken")
        constraints = [models.UniqueConstraint(fields=["source", "position"], name="one_outcome_a_file")]

    def __str__(self) -> str:
        return self.name

    @property
    def sentence(self) -> Sentence:
        """The reason in the reader's language."""
        return Sentence.from_json(self.reason)


class ImageQuerySet(models.QuerySet["Image"]):
    """Reads of pictures."""

    def live(self) -> "ImageQuerySet":
        """Not in the trash."""
        return self.filter(trashed_at=None)


class Image(models.Model):
    """A picture in a data set. Its bytes lie under `key`, its small picture under `thumbnail_key`.

    `sha256` is that of the bytes that were uploaded; what is stored may be scaled down.
    """

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="images")
    source = models.ForeignKey(Import, models.SET_NULL, null=True, related_name="images")
    position = models.PositiveIntegerField(default=0)  # in its import
    name = models.CharField(_("file"), max_length=255)
    sha256 = models.CharField(max_length=64, db_index=True)
    key = models.CharField(max_length=120)
    thumbnail_key = models.CharField(max_length=120)
    format = models.CharField(_("format"), max_length=8)
    bytes = models.PositiveIntegerField(_("bytes"))
    width = models.PositiveIntegerField(_("width"))
    height = models.PositiveIntegerField(_("height"))
    difference_hash = models.BigIntegerField(null=True)  # 64-bit dHash of the upright picture, signed
    grey = models.BooleanField(_("without colour"), default=False)
    label = models.ForeignKey(Label, models.SET_NULL, null=True, blank=True, related_name="images")
    split = models.CharField(_("wished side of the split"), max_length=10, blank=True)  # train, validation, test
    last_action = models.ForeignKey("TagAction", models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("uploaded"), auto_now_add=True)
    trashed_at = models.DateTimeField(_("in the trash since"), null=True, blank=True)

    objects = ImageQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("image"), _("images")
        constraints = [models.UniqueConstraint(fields=["dataset", "sha256"], name="one_picture_a_data_set")]
        indexes = [
            models.Index(fields=["dataset", "trashed_at", "label", "id"], name="image_grid"),
            models.Index(fields=["source", "position"], name="image_of_import"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def open_suggestion(self) -> "Suggestion | None":
        """What is suggested for it, while it has no label and that one is in use."""
        found: Suggestion | None = getattr(self, "suggestion", None)
        return found if found and not self.label_id and not found.label.archived_at else None


class ActionKind(models.TextChoices):
    """What a bulk act did."""

    TAG = "tag", _("Tagged")
    TRASH = "trash", _("Moved to the trash")
    RESTORE = "restore", _("Taken out of the trash")
    ACCEPT = "accept", _("Suggestions accepted")


class TagAction(models.Model):
    """One bulk change, undoable as a whole."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="actions")
    kind = models.CharField(_("kind"), max_length=8, choices=ActionKind.choices, default=ActionKind.TAG)
    label = models.ForeignKey(Label, models.SET_NULL, null=True, related_name="+")
    label_name = models.CharField(
        _("label"), max_length=64, blank=True
    )  # as it was called then; empty: untagged
    changed = models.PositiveIntegerField(_("changed"), default=0)
    # Of the untagged pictures that got a label: how many had a suggestion, and how many just this one.
    suggested = models.PositiveIntegerField(_("had a suggestion"), default=0)
    agreed = models.PositiveIntegerField(_("as suggested"), default=0)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    undone_at = models.DateTimeField(_("undone"), null=True, blank=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name, verbose_name_plural = _("tag action"), _("tag actions")

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.label_name} ({self.changed})"


class TagChange(models.Model):
    """What one act changed on one picture: the undo's memory and the picture's history."""

    action = models.ForeignKey(TagAction, models.CASCADE, related_name="changes")
    image = models.ForeignKey(Image, models.CASCADE, related_name="changes")
    before = models.ForeignKey(Label, models.SET_NULL, null=True, related_name="+")  # perhaps an archived one
    previous_action = models.ForeignKey(TagAction, models.SET_NULL, null=True, related_name="+")
    # Only where an act gives its pictures different labels; else the act names the one.
    after = models.ForeignKey(Label, models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["action", "image"], name="one_change_an_act")]

    def __str__(self) -> str:
        return f"{self.action_id} · {self.image_id}"


class Suggestion(models.Model):
    """Which label a picture probably has. It counts while the picture has none and the label is in use."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="suggestions")
    image = models.OneToOneField(Image, models.CASCADE, related_name="suggestion")
    label = models.ForeignKey(Label, models.CASCADE, related_name="+")
    confidence = models.FloatField(_("confidence"))
    source = models.CharField(_("source"), max_length=80)  # opaque: who said so
    created_at = models.DateTimeField(_("made"), auto_now_add=True)

    class Meta:
        verbose_name, verbose_name_plural = _("suggestion"), _("suggestions")
        indexes = [models.Index(fields=["dataset", "confidence", "image"], name="suggestion_by_confidence")]

    def __str__(self) -> str:
        return f"{self.image_id}: {self.label_id}"


class Snapshot(models.Model):
    """The tagged content of a data set at one moment: immutable, sorted, hashed; the rows lie in storage."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="snapshots")
    name = models.CharField(_("name"), max_length=80, blank=True)
    content_hash = models.CharField(max_length=64)
    key = models.CharField(max_length=120)
    images = models.PositiveIntegerField(_("images"))
    labels = models.JSONField(default=dict)  # name → pictures
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name, verbose_name_plural = _("snapshot"), _("snapshots")

    def __str__(self) -> str:
        return self.name or self.content_hash[:12]


class FeatureShard(models.Model):
    """A file of embeddings: float16 [rows, dimensions] (.npy) of one extractor (name with pixel spec)."""

    extractor = models.CharField(max_length=120)
    key = models.CharField(max_length=120)
    rows = models.PositiveIntegerField()
    dimensions = models.PositiveIntegerField()
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name, verbose_name_plural = _("embedding shard"), _("embedding shards")

    def __str__(self) -> str:
        return f"{self.extractor} ×{self.rows}"


class Feature(models.Model):
    """Where a picture's embedding lies."""

    extractor = models.CharField(max_length=120)
    sha256 = models.CharField(max_length=64)
    shard = models.ForeignKey(FeatureShard, models.CASCADE, related_name="features")
    row = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["extractor", "sha256"], name="computed_once")]

    def __str__(self) -> str:
        return self.sha256
