"""What a model's pinned test set leaves to learn from, by label: shown before a training starts, and kept with it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.utils.translation import gettext_noop

from training import pinned
from training.models import PinnedSet
from training.preview import LEAST_LEFT, LabelPreview, Preview, tagged
from training.splitting import TEST, VALIDATION_SHARE, Sizes
from training.wishes import SHOWN, Chosen, TooFew


@dataclass(frozen=True)
class Beside:
    """The preview with the test set's pictures held back. `now`: these as they are tagged today; `left`: pictures of
    each label that are not pinned."""

    preview: Preview
    now: pinned.Pinned
    left: Counter[str]


def beside(found: PinnedSet, chosen: Sequence[Chosen], preview: Preview) -> Beside:
    """About: which pictures look like pinned ones, and so are not learned from either, the training finds out."""
    labels = [each.name for each in preview.labels]
    now = pinned.as_of_now(found, labels, [each.dataset.pk for each in chosen])
    judged = Counter(row.label for row in now.judged)
    left = _left(chosen, now, {name for name in judged if preview.by_wishes})
    shown = tuple(_label(each, judged[each.name], left[each.name]) for each in preview.labels)
    return Beside(replace(preview, labels=shown, test_set=now.facts), now, left)


def must_be_left(found: Beside) -> None:
    """Raises TooFew."""
    short = [each.name for each in found.preview.labels if found.left[each.name] < LEAST_LEFT]
    if short:
        raise TooFew(
            gettext_noop(
                "Beside the pinned test set each label needs %(least)s more pictures to learn from. Not so:"
                " %(named)s%(more)s. Tag more, or unpin the test set."
            ),
            least=LEAST_LEFT,
            named=", ".join(f"{name} ({found.left[name]})" for name in short[:SHOWN]),
            more=f" +{len(short) - SHOWN}" if len(short) > SHOWN else "",
        )


def _label(label: LabelPreview, judged: int, left: int) -> LabelPreview:
    if not judged:
        return label
    validation = min(left, max(1, round(left * VALIDATION_SHARE)))
    return replace(label, sizes=Sizes(left - validation, validation, judged), pinned=judged)


def _left(chosen: Sequence[Chosen], now: pinned.Pinned, instead: set[str]) -> Counter[str]:
    """Pictures of each label that are not pinned. `instead`: labels where the test set stands in for the import's
    wishes, so that what was wished for testing is not learned from either."""
    found: dict[str, tuple[str, str]] = {}
    for each in chosen:
        for sha256, name, _file, wish in tagged(each.dataset, each.labels):
            if sha256 not in now.contents and (wish == TEST or sha256 not in found):
                found[sha256] = (name, wish)
    return Counter(name for name, wish in found.values() if not (name in instead and wish == TEST))
