"""Setting the tags of a data set back to a snapshot: first what it would change, then as one undoable act.

Much of it at once is datasets/bulk_restoring.py's.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Value

from datasets.labels import find_or_create
from datasets.models import ActionKind, Snapshot, TagAction
from datasets.selection import images_with_ids
from datasets.snapshots import labels_of
from datasets.tagging import one_at_a_time, remember_and_change, start
from projects import audit

AT_ONCE = 5_000


@dataclass
class Plan:
    """What a restore would change. Numbers of pictures by what happens to them; `gone` cannot come back."""

    relabelled: int = 0
    from_trash: int = 0
    gone: int = 0
    others: int = 0  # tagged now, and not in the snapshot
    new_labels: list[str] = field(default_factory=list)
    labels: dict[str, list[int]] = field(
        default_factory=lambda: defaultdict(list)
    )  # name → pictures to change
    left: list[int] = field(default_factory=list)  # the others

    @property
    def changes(self) -> int:
        """Pictures that get another label, or come out of the trash."""
        return sum(map(len, self.labels.values()))

    def told(self) -> dict[str, Any]:
        """Its numbers alone, for whoever is to decide."""
        names = ("changes", "relabelled", "from_trash", "gone", "others", "new_labels")
        return {name: getattr(self, name) for name in names}


def plan_of(snapshot: Snapshot, *, so_far: Callable[[int], None] = lambda _compared: None) -> Plan:
    """What is different now. Pictures are known by their content; `so_far` hears how many were compared."""
    wanted = labels_of(snapshot)
    known = set(snapshot.dataset.labels.values_list("name", flat=True))
    plan = Plan(new_labels=sorted(set(wanted.values()) - known))
    found = 0
    columns = ("pk", "sha256", "label__name", "trashed_at")
    rows = snapshot.dataset.images.order_by("pk").values_list(*columns).iterator(chunk_size=AT_ONCE)
    for compared, (pk, sha256, label, trashed) in enumerate(rows):
        if compared % AT_ONCE == 0:
            so_far(compared)
        if sha256 not in wanted:
            if label and not trashed:
                plan.left.append(pk)
            continue
        found += 1
        if trashed or label != wanted[sha256]:
            plan.labels[wanted[sha256]].append(pk)
            plan.from_trash += trashed is not None
            plan.relabelled += label != wanted[sha256]
    plan.gone, plan.others = len(wanted) - found, len(plan.left)
    return plan


@transaction.atomic
def restore_snapshot(*, snapshot: Snapshot, user: User, untag_others: bool = False) -> TagAction:
    """Give each picture of the snapshot its label of then, and take it out of the trash.

    Pictures that are not in the snapshot keep their labels, or lose them (`untag_others`). Labels that are gone are
    made again. Raises TooManyLabels.
    """
    dataset = snapshot.dataset
    one_at_a_time(dataset)
    plan = plan_of(snapshot)
    action = start(dataset, user, ActionKind.RETURN)
    for name, pks in sorted(plan.labels.items()):
        label = find_or_create(dataset=dataset, name=name, user=user)
        chosen = images_with_ids(dataset, pks)
        remember_and_change(action, chosen, after=Value(label.pk), trashed_at=None)
    if untag_others and plan.left:
        remember_and_change(action, images_with_ids(dataset, plan.left), label=None)
    audit.note(
        user, "dataset.set-back", project=dataset.project, target=str(snapshot), changed=action.changed
    )
    return action
