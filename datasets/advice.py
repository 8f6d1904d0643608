"""What would make a data set better to learn from, in sentences; the most pressing first."""

from django.db.models import Count, Q
from django.utils.translation import gettext_noop

from datasets.labels import labels_with_counts
from datasets.models import Dataset
from web.sentences import Sentence

FEW, ENOUGH = 20, 100
SMALL_SIDE, LARGE_SHARE, UNEVEN = 96, 0.3, 10
NAMED = 5


def advice(dataset: Dataset) -> list[Sentence]:
    """Sentences on the data set as it is now; empty while there are no pictures."""
    counts = {label.name: label.images_count for label in labels_with_counts(dataset)}  # type: ignore[attr-defined]
    total = dataset.images.filter(trashed_at=None).count()
    return [*on_counts(counts, dataset.project.minimum_images), *on_pictures(dataset, total)] if total else []


def on_counts(counts: dict[str, int], least: int) -> list[Sentence]:
    """Too few labels, too few pictures of one, or one that outweighs the others."""
    used = {name: count for name, count in counts.items() if count}
    if len(used) < 2:
        return [
            Sentence(
                gettext_noop("Training needs two labels at least, with %(least)s pictures each."), least=least
            )
        ]
    told = []
    steps = (
        (0, least, gettext_noop("Too few to train with (%(least)s needed): %(labels)s.")),
        (
            least,
            FEW,
            gettext_noop("Fewer than %(least)s pictures, so the results will be shaky: %(labels)s."),
        ),
        (
            FEW,
            ENOUGH,
            gettext_noop("From %(least)s pictures on a label is learned well; below it: %(labels)s."),
        ),
    )
    for low, high, text in steps:
        names = [name for name, count in counts.items() if low <= count < high]
        if names:
            told.append(Sentence(text, least=high, labels=listed(names)))
    most, fewest = max(used, key=lambda name: used[name]), min(used, key=lambda name: used[name])
    if used[most] >= UNEVEN * used[fewest]:
        told.append(
            Sentence(
                gettext_noop(
                    "“%(most)s” has %(times)s times as many pictures as “%(fewest)s”;"
                    " even numbers learn better."
                ),
                most=most,
                fewest=fewest,
                times=used[most] // used[fewest],
            )
        )
    return told


def on_pictures(dataset: Dataset, total: int) -> list[Sentence]:
    """What the pictures themselves are like."""
    small = Q(width__lt=SMALL_SIDE) | Q(height__lt=SMALL_SIDE)
    found = dataset.images.filter(trashed_at=None).aggregate(
        grey=Count("pk", filter=Q(grey=True)),
        small=Count("pk", filter=small),
        unlabelled=Count("pk", filter=Q(label=None)),
    )
    told = []
    if found["unlabelled"]:
        told.append(
            Sentence(
                gettext_noop("%(count)s pictures have no label and teach nothing yet."),
                count=found["unlabelled"],
            )
        )
    if found["small"] > LARGE_SHARE * total:
        told.append(
            Sentence(
                gettext_noop(
                    "%(share)s %% of the pictures are under %(side)s pixels: fine details will be missed."
                ),
                share=round(100 * found["small"] / total),
                side=SMALL_SIDE,
            )
        )
    if LARGE_SHARE * total < found["grey"] < total:
        told.append(
            Sentence(
                gettext_noop(
                    "%(share)s %% of the pictures are without colour;"
                    " the model may learn that instead of the label."
                ),
                share=round(100 * found["grey"] / total),
            )
        )
    return [*told, *ALWAYS]


ALWAYS = (
    Sentence(
        gettext_noop("Take the pictures with the camera and in the light that the model will meet in use.")
    ),
    Sentence(gettext_noop("Vary angle, distance and background within each label.")),
)


def listed(names: list[str]) -> str:
    """The first few names, and how many more there are."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" … (+{more})" if more > 0 else "")
