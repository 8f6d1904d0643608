"""Data sets: pictures, their labels, where they came from, and every change of a tag."""

from datasets.models.actions import ActionKind, TagAction, TagChange
from datasets.models.alike import AlikeGroup, AlikeMember, AlikeSearch
from datasets.models.conflicts import LabelConflict
from datasets.models.exports import Export, ExportState
from datasets.models.features import Feature, FeatureShard
from datasets.models.images import Image, ImageQuerySet
from datasets.models.imports import Import, ImportState, NotTaken, Outcome, Review, Upload
from datasets.models.likeness import Likeness
from datasets.models.live import Happening, HappeningKind, Presence
from datasets.models.mislabels import Mislabel
from datasets.models.sets import LABEL_NAME, Dataset, Label, LiveLabels
from datasets.models.snapshots import Snapshot
from datasets.models.suggestions import Suggestion
from datasets.models.tally import Tally
from datasets.models.trash import FreedFile

__all__ = [
    "LABEL_NAME",
    "ActionKind",
    "AlikeGroup",
    "AlikeMember",
    "AlikeSearch",
    "Dataset",
    "Export",
    "ExportState",
    "Feature",
    "FeatureShard",
    "FreedFile",
    "Happening",
    "HappeningKind",
    "Image",
    "ImageQuerySet",
    "Import",
    "ImportState",
    "Label",
    "LabelConflict",
    "Likeness",
    "LiveLabels",
    "Mislabel",
    "NotTaken",
    "Outcome",
    "Presence",
    "Review",
    "Snapshot",
    "Suggestion",
    "TagAction",
    "TagChange",
    "Tally",
    "Upload",
]
