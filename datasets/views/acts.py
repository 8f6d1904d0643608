"""The bench's acts: tag, untag, delete, undo. Each is one acknowledged POST."""

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_POST

from datasets import bulk_tagging, bulk_undoing
from datasets.access import action_to_undo, dataset_for, dataset_to_tag
from datasets.labels import find_label, find_or_create, label_named
from datasets.models import ActionKind, Image, Label, TagAction
from datasets.skipping import skip_images, unskip_images
from datasets.suggestions import accept as accept_suggestions
from datasets.suggestions import accept_again
from datasets.tagging import MARKS, given_back, tag_images, trash_images
from datasets.told import told_act, told_undo
from datasets.views.acknowledging import MAY_DELETE, MAY_EDIT_LABELS, Asked, BadAct, Done, acknowledged
from jobs.models import Job
from projects.access import check


@login_required
@require_POST
def tag(request: HttpRequest, pk: int) -> HttpResponse:
    """Give pictures a label, take it from them, or do an earlier act again."""
    dataset = dataset_to_tag(request.user, pk)

    def act(asked: Asked) -> Done:
        if "again" in asked.body:
            return repeat(asked)
        known = asked.dataset.labels.count() if asked.body.get("create") else 0
        label, chosen = wanted_label(asked), asked.chosen
        made = bool(asked.body.get("create")) and dataset.labels.count() != known
        if not asked.few and bulk_tagging.is_large(chosen):
            queued = bulk_tagging.tag_in_background(
                dataset=dataset, user=asked.user, chosen=chosen, label=label
            )
            return goes_on(queued, made)
        action = tag_images(dataset=dataset, user=asked.user, chosen=chosen, label=label)
        return Done(told_of(action, chosen), action.changed, action.pk, made)

    return acknowledged(request, dataset, act)


def goes_on(queued: tuple[TagAction, Job], labels_changed: bool = False) -> Done:
    """What is too much for a request: some of it will change, and all of that can be undone."""
    told = _("This goes on in the background; Changes shows how far it is.")
    return Done(told, 1, queued[0].pk, labels_changed)


def told_of(action: TagAction, chosen: "QuerySet[Image]") -> str:
    """What it did; where that is nothing because somebody deleted the pictures meanwhile, this."""
    if not action.changed and chosen.exists() and not chosen.filter(trashed_at=None).exists():
        return _("Nothing changed: these pictures are in the trash by now.")
    return told_act(action)


def wanted_label(asked: Asked) -> Label | None:
    """The label that was named; None takes labels away. A new one is made for those who may."""
    name = asked.body.get("label")
    if name is None or asked.body.get("untag"):
        return None
    if not isinstance(name, str) or not name:
        raise BadAct(gettext_noop("No label was named."))
    if number := asked.number("label_id"):
        known = asked.dataset.labels.filter(pk=number).first()
        if known:
            return known  # called otherwise since, perhaps: it is the label that was meant
    if asked.body.get("create") and find_label(asked.dataset, name) is None:
        check(asked.user, asked.dataset.project, at_least=MAY_EDIT_LABELS)
        return find_or_create(dataset=asked.dataset, name=name, user=asked.user)
    return label_named(asked.dataset, name)


def repeat(asked: Asked) -> Done:
    """Exactly the pictures of an act that was undone, again."""
    before = asked.action("again")
    pictures = given_back(before)
    if before.kind == ActionKind.TRASH:
        check(asked.user, asked.dataset.project, at_least=MAY_DELETE)
    if before.kind in (ActionKind.TRASH, *MARKS) and bulk_tagging.is_large(pictures):
        kind = ActionKind(before.kind)
        return goes_on(
            bulk_tagging.act_in_background(dataset=asked.dataset, user=asked.user, kind=kind, chosen=pictures)
        )
    if before.kind == ActionKind.TRASH:
        action = trash_images(dataset=asked.dataset, user=asked.user, chosen=pictures)
    elif before.kind == ActionKind.ACCEPT:
        action = accept_again(before=before, user=asked.user)
    elif before.kind == ActionKind.RETURN:
        raise BadAct(gettext_noop("Restore the snapshot again on the page of snapshots."))
    elif before.kind in MARKS:
        mark = skip_images if before.kind == ActionKind.SKIP else unskip_images
        action = mark(dataset=asked.dataset, user=asked.user, chosen=pictures)
    else:
        label = label_named(asked.dataset, before.label_name) if before.label_name else None
        if bulk_tagging.is_large(pictures):
            return goes_on(
                bulk_tagging.tag_in_background(
                    dataset=asked.dataset, user=asked.user, chosen=pictures, label=label
                )
            )
        action = tag_images(dataset=asked.dataset, user=asked.user, chosen=pictures, label=label)
    return Done(told_act(action), action.changed, action.pk)


@login_required
@require_POST
def accept(request: HttpRequest, pk: int) -> HttpResponse:
    """Give pictures the labels that are suggested for them."""
    dataset = dataset_to_tag(request.user, pk)

    def act(asked: Asked) -> Done:
        sure = asked.fraction("at_least")
        if bulk_tagging.is_large(asked.chosen):
            return goes_on(
                bulk_tagging.accept_in_background(
                    dataset=dataset, user=asked.user, chosen=asked.chosen, at_least=sure
                )
            )
        action = accept_suggestions(dataset=dataset, user=asked.user, chosen=asked.chosen, at_least=sure)
        return Done(told_of(action, asked.chosen), action.changed, action.pk)

    return acknowledged(request, dataset, act)


@login_required
@require_POST
def skip(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark pictures as not sure, or take the mark away (`unskip`)."""
    dataset = dataset_to_tag(request.user, pk)

    def act(asked: Asked) -> Done:
        if bulk_tagging.is_large(asked.chosen):
            kind = ActionKind.UNSKIP if asked.body.get("unskip") else ActionKind.SKIP
            return goes_on(
                bulk_tagging.act_in_background(
                    dataset=dataset, user=asked.user, kind=kind, chosen=asked.chosen
                )
            )
        mark = unskip_images if asked.body.get("unskip") else skip_images
        action = mark(dataset=asked.dataset, user=asked.user, chosen=asked.chosen)
        return Done(told_of(action, asked.chosen), action.changed, action.pk)

    return acknowledged(request, dataset, act)


@login_required
@require_POST
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Move pictures to the trash."""
    dataset = dataset_for(request.user, pk, at_least=MAY_DELETE, scope="label")

    def act(asked: Asked) -> Done:
        if bulk_tagging.is_large(asked.chosen):
            return goes_on(
                bulk_tagging.act_in_background(
                    dataset=dataset, user=asked.user, kind=ActionKind.TRASH, chosen=asked.chosen
                )
            )
        action = trash_images(dataset=dataset, user=asked.user, chosen=asked.chosen)
        return Done(told_act(action), action.changed, action.pk)

    return acknowledged(request, dataset, act)


@login_required
@require_POST
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Give back what an act changed, but for what somebody changed since."""
    dataset = dataset_to_tag(request.user, pk)

    def act(asked: Asked) -> Done:
        before = dataset.labels.count()
        action = action_to_undo(asked.user, pk, asked.number("action"))
        undone = bulk_undoing.undo(action=action, user=asked.user)
        if isinstance(undone, Job):
            return Done(_("The undo goes on in the background; Changes shows how far it is."), 1)
        return Done(told_undo(undone), undone.changed, None, dataset.labels.count() != before)

    return acknowledged(request, dataset, act)
