"""Groups of near-duplicates as people see and settle them."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, Value, When, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from datasets.models import AlikeGroup, AlikeMember, Dataset, Image, Import, TagAction
from datasets.tagging import trash_images

LIVE = Q(members__image__trashed_at=None)


@dataclass(frozen=True)
class Counted:
    """What a data set's open groups hold; `spare`: what would go if each kept one."""

    groups: int
    images: int
    disagreeing: int

    @property
    def spare(self) -> int:
        """Pictures beyond the first of each group."""
        return self.images - self.groups


def open_groups(dataset: Dataset) -> QuerySet[AlikeGroup]:
    """Those not dismissed that still have two pictures; first those whose labels differ, then the largest."""
    found = AlikeGroup.objects.filter(dataset=dataset, dismissed_at=None).annotate(
        size=Count("members", filter=LIVE),
        labels=Count("members__image__label", distinct=True, filter=LIVE),
    )
    disagree = Case(When(labels__gt=1, then=Value(1)), default=Value(0))
    return found.filter(Q(size__gte=2)).annotate(disagree=disagree).order_by("-disagree", "-size", "pk")


def counted(dataset: Dataset) -> Counted:
    """How many."""
    rows = list(open_groups(dataset).order_by().values_list("size", "labels"))  # type: ignore[misc]
    return Counted(len(rows), sum(size for size, _ in rows), sum(labels > 1 for _, labels in rows))


def members_of(groups: "list[AlikeGroup]") -> dict[int, list[Image]]:
    """The live pictures of these groups, each group's best first."""
    found: dict[int, list[Image]] = {group.pk: [] for group in groups}
    rows = AlikeMember.objects.filter(group__in=groups, image__trashed_at=None)
    for member in rows.select_related("image__label").order_by(*BEST):
        found[member.group_id].append(member.image)
    return found


# What one would keep: with a label, more pixels, more bytes, earlier.
BEST = (
    Case(When(image__label=None, then=Value(1)), default=Value(0)),
    (F("image__width") * F("image__height")).desc(),
    F("image__bytes").desc(),
    F("image_id").asc(),
)


def keep_one(*, group: AlikeGroup, keep: Image, user: User) -> TagAction:
    """Move the group's other pictures to the trash."""
    others = AlikeMember.objects.filter(group=group).exclude(image=keep).values("image")
    return trash_images(dataset=group.dataset, user=user, chosen=Image.objects.filter(pk__in=others))


def keep_best_of_all(*, dataset: Dataset, user: User) -> TagAction:
    """Keep the best of every group and move the rest to the trash; groups with several labels are left alone."""
    agreeing = open_groups(dataset).filter(Q(disagree=0)).order_by().values("pk")
    place = Window(RowNumber(), partition_by=F("group_id"), order_by=BEST)
    members = AlikeMember.objects.filter(group__in=agreeing, image__trashed_at=None)
    spare = members.annotate(place=place).filter(place__gt=1).values("image")
    return trash_images(dataset=dataset, user=user, chosen=Image.objects.filter(pk__in=spare))


def dismiss(*, group: AlikeGroup, user: User) -> None:
    """They are different: no later search brings these pairs again."""
    AlikeGroup.objects.filter(pk=group.pk, dismissed_at=None).update(
        dismissed_at=timezone.now(), dismissed_by=user
    )


def take_back_dismissal(*, group: AlikeGroup) -> None:
    """They are open again."""
    AlikeGroup.objects.filter(pk=group.pk).update(dismissed_at=None, dismissed_by=None)


def brought_by(found: Import) -> int | None:
    """How many of an import's pictures nearly repeat one that was there before them; None: not searched since."""
    search = getattr(found.dataset, "alike_search", None)
    ended: datetime | None = found.finished_at
    if search is None or ended is None or search.searched_at < ended:
        return None
    earlier = AlikeMember.objects.filter(
        group=OuterRef("group"), image__trashed_at=None, image__lt=OuterRef("image")
    )
    mine = AlikeMember.objects.filter(
        image__source=found, image__trashed_at=None, group__dismissed_at=None
    ).filter(Exists(earlier))
    return mine.values("image").distinct().count()
