"""Models and their versions: what was asked for, what came of it, and what produced it."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from jobs.models import Job
from projects.models import Project
from web.sentences import Sentence


class Extractor(models.Model):
    """A feature extractor as an ONNX file, built once from a backbone's weights."""

    name = models.CharField(
        max_length=120, unique=True
    )  # backbone, weights' hash and pixel spec: what datasets keeps
    backbone = models.CharField(_("backbone"), max_length=64)
    weights = models.CharField(_("weights"), max_length=200)
    pixel_spec = models.JSONField(default=dict)
    key = models.CharField(max_length=120)
    sha256 = models.CharField(max_length=64)
    dimensions = models.PositiveIntegerField()
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name, verbose_name_plural = _("feature extractor"), _("feature extractors")

    def __str__(self) -> str:
        return self.name


class Speed(models.Model):
    """How long an extractor takes for one picture on machines of one kind; measured once."""

    extractor = models.ForeignKey(Extractor, models.CASCADE, related_name="speeds")
    machine = models.CharField(max_length=16)
    processor = models.CharField(_("processor"), max_length=120, blank=True)
    milliseconds = models.FloatField(_("milliseconds"))
    file_bytes = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(_("measured"), auto_now_add=True)

    class Meta:
        verbose_name, verbose_name_plural = _("speed"), _("speeds")
        constraints = [
            models.UniqueConstraint(fields=["extractor", "machine"], name="measured_once_a_machine")
        ]

    def __str__(self) -> str:
        return f"{self.extractor} {self.milliseconds} ms"


class RegisteredModel(models.Model):
    """The named thing whose versions are trained."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="models")
    name = models.CharField(_("name"), max_length=80)
    contact = models.CharField(_("contact"), max_length=200, blank=True)
    description = models.TextField(_("description"), blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    last_removed = models.PositiveIntegerField(default=0)  # the highest number removed: none is given twice

    class Meta:
        verbose_name, verbose_name_plural = _("model"), _("models")
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="model_names_differ")]

    def __str__(self) -> str:
        return self.name

    @property
    def last_number(self) -> int:
        """The highest version number given so far, 0 for none."""
        last = self.versions.aggregate(last=models.Max("number"))["last"] or 0
        return int(max(last, self.last_removed))


class PinnedSet(models.Model):
    """Pictures that every version of a model is judged on and none learns from, named by their content."""

    model = models.ForeignKey(RegisteredModel, models.CASCADE, related_name="pinned_sets")
    key = models.CharField(max_length=120)  # the pictures as they were pinned, in the storage
    pictures = models.PositiveIntegerField(_("pictures"))
    labels = models.JSONField(default=dict)  # name → pictures, as they were pinned
    source = models.JSONField(default=dict)  # {"version": number} or {"snapshot": id, "name", "dataset"}
    pinned_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    pinned_at = models.DateTimeField(_("pinned"), auto_now_add=True)
    ended_at = models.DateTimeField(_("unpinned"), null=True, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = _("pinned test set"), _("pinned test sets")
        constraints = [
            models.UniqueConstraint(
                fields=["model"], condition=models.Q(ended_at=None), name="one_test_set_a_model"
            )
        ]

    def __str__(self) -> str:
        return f"{self.model} ({self.pictures})"


class Application(models.TextChoices):
    """What a version is for."""

    CLOUD_GENERAL = "cloud-general", _("Cloud, general")
    CLOUD_ACCURATE = "cloud-accurate", _("Cloud, accurate")
    EDGE_GENERAL = "edge-general", _("Edge, general")
    EDGE_FAST = "edge-fast", _("Edge, fast")


class Metric(models.TextChoices):
    """What a training optimises for."""

    TOP1 = "top1", _("Top-1 accuracy")
    TOP5 = "top5", _("Top-5 accuracy")
    PRECISION = "precision", _("Precision")
    RECALL = "recall", _("Recall")
    F1 = "f1", _("F1 score")


class VersionState(models.TextChoices):
    """queued → preparing → training → exporting → evaluating → succeeded | failed | stopped | cancelled."""

    QUEUED = "queued", _("Queued")
    PREPARING = "preparing", _("Preparing")
    TRAINING = "training", _("Training")
    EXPORTING = "exporting", _("Exporting")
    EVALUATING = "evaluating", _("Evaluating")
    SUCCEEDED = "succeeded", _("Succeeded")
    FAILED = "failed", _("Failed")
    STOPPED = "stopped", _("Stopped")
    CANCELLED = "cancelled", _("Cancelled")


ENDED = (VersionState.SUCCEEDED, VersionState.FAILED, VersionState.STOPPED, VersionState.CANCELLED)


class EndedBecause(models.TextChoices):
    """Why a training ended."""

    CONVERGED = "converged", _("It stopped improving")
    BUDGET = "budget", _("The time limit was reached")
    STOPPED = "stopped", _("Somebody stopped it")
    ERROR = "error", _("Something went wrong")


class VersionQuerySet(models.QuerySet["ModelVersion"]):
    """Reads of versions."""

    def active(self) -> "VersionQuerySet":
        """Still being made."""
        return self.exclude(state__in=ENDED)

    def usable(self) -> "VersionQuerySet":
        """With a model file that can validate and serve, and not put away."""
        return self.filter(usable=True, archived_at=None)

    def shown(self) -> "VersionQuerySet":
        """Not put away."""
        return self.filter(archived_at=None)


class ModelVersion(models.Model):
    """One training, numbered from 1 within its model, and everything that produced it."""

    model = models.ForeignKey(RegisteredModel, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(_("number"))
    application = models.CharField(_("application"), max_length=16, choices=Application.choices)
    optimise_for = models.CharField(
        _("optimise for"), max_length=16, choices=Metric.choices, default=Metric.TOP1
    )
    max_minutes = models.FloatField(_("time limit in minutes"), default=12)
    data = models.JSONField(default=list)  # as asked for
    snapshots = models.JSONField(default=list)  # ids: the data as it was when the training was asked for
    options = models.JSONField(default=dict, blank=True)
    seed = models.PositiveIntegerField(default=0)

    state = models.CharField(
        _("state"), max_length=16, choices=VersionState.choices, default=VersionState.QUEUED
    )
    stage = models.CharField(max_length=40, blank=True)
    progress = models.FloatField(default=0)
    message = models.JSONField(default=dict, blank=True)
    ended_because = models.CharField(max_length=16, choices=EndedBecause.choices, blank=True)
    usable = models.BooleanField(_("usable"), default=False)
    stop_requested = models.BooleanField(default=False)
    job = models.ForeignKey(Job, models.SET_NULL, null=True, related_name="+")
    # whose training makes this one, too (training/together.py); both have its job
    trained_with = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="followers")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    labels = models.JSONField(default=list)
    manifest_key = models.CharField(max_length=120, blank=True)  # snapshot + split + groups, never changes
    snapshot_hash = models.CharField(max_length=64, blank=True)
    split_counts = models.JSONField(default=dict, blank=True)
    split_facts = models.JSONField(
        default=dict, blank=True
    )  # what befell the split, see training/split_words.py
    pinned = models.ForeignKey(PinnedSet, models.SET_NULL, null=True, related_name="versions")
    pinned_key = models.CharField(
        max_length=120, blank=True
    )  # its pictures as they were tagged when asked for
    backbone = models.CharField(_("backbone"), max_length=64, blank=True)
    weights = models.CharField(_("weights"), max_length=200, blank=True)
    choice = models.JSONField(default=dict, blank=True)  # networks that were passed over, and why
    history = models.JSONField(default=list, blank=True)  # the curve: one point an epoch
    live = models.JSONField(default=dict, blank=True)  # while it runs: best so far, seconds used
    made_with = models.JSONField(default=dict, blank=True)

    file_key = models.CharField(max_length=120, blank=True)
    file_sha256 = models.CharField(max_length=64, blank=True)
    file_bytes = models.PositiveBigIntegerField(default=0)
    metrics = models.JSONField(default=dict, blank=True)
    report = models.JSONField(default=dict, blank=True)
    predictions_key = models.CharField(max_length=120, blank=True)  # one row a held-back picture
    weights_key = models.CharField(max_length=120, blank=True)  # what a later training may go on from

    own_file = models.CharField(max_length=200, blank=True)  # the name of the file that a person brought
    notes = models.TextField(_("notes"), blank=True)
    noted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    noted_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True)

    objects = VersionQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("version"), _("versions")
        constraints = [models.UniqueConstraint(fields=["model", "number"], name="version_numbers_differ")]

    def __str__(self) -> str:
        return f"{self.model} {self.number}"

    @property
    def sentence(self) -> Sentence:
        """What it is doing or why it ended, in the reader's language."""
        return Sentence.from_json(self.message)

    @property
    def split_sentences(self) -> list[Sentence]:
        """What befell its split."""
        from training.split_words import split_sentences

        return split_sentences(self.split_facts)

    @property
    def ended(self) -> bool:
        """Nothing more will happen to it."""
        return self.state in ENDED


class RunWatch(models.Model):
    """What the worker of a running training says: its machine, and the last lines of the engine's log."""

    version = models.OneToOneField(ModelVersion, models.CASCADE, related_name="watch")
    machine = models.JSONField(default=dict)
    log = models.TextField(blank=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.version)
