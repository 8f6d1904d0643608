"""What an act did, in a sentence: for toasts, messages and the list of changes."""

from collections.abc import Sequence

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.translation import gettext, ngettext

from datasets.models import ActionKind, Happening, HappeningKind, Label, TagAction
from datasets.tagging import Undone


def told_act(action: TagAction) -> str:
    """“128 pictures tagged 狗”."""
    count = action.changed
    if not count:
        return gettext("Nothing changed: these pictures are like that already.")
    if action.kind == ActionKind.TRASH:
        text = ngettext("%(count)s picture in the trash now", "%(count)s pictures in the trash now", count)
    elif action.kind == ActionKind.RESTORE:
        text = ngettext("%(count)s picture restored", "%(count)s pictures restored", count)
    elif action.kind == ActionKind.RETURN:
        text = ngettext(
            "%(count)s picture set back to a snapshot", "%(count)s pictures set back to a snapshot", count
        )
    elif action.kind == ActionKind.ACCEPT:
        text = ngettext("%(count)s suggestion accepted", "%(count)s suggestions accepted", count)
    elif action.kind == ActionKind.SKIP:
        text = ngettext(
            "%(count)s picture marked as not sure", "%(count)s pictures marked as not sure", count
        )
    elif action.kind == ActionKind.UNSKIP:
        text = ngettext("%(count)s picture waits again", "%(count)s pictures wait again", count)
    elif action.label_name:
        text = ngettext("%(count)s picture tagged %(label)s", "%(count)s pictures tagged %(label)s", count)
    else:
        text = ngettext(
            "Label removed from %(count)s picture", "Label removed from %(count)s pictures", count
        )
    return text % {"count": intcomma(count), "label": action.label_name}


def told_removal(label: str, heir: str, count: int) -> str:
    """“狗 is deleted: 128 pictures are unlabelled now.”"""
    values = {"label": label, "count": intcomma(count), "heir": heir}
    if not count:
        return gettext("%(label)s is deleted; no picture had it. The trash keeps it.") % values
    if heir:
        text = ngettext(
            "%(label)s is merged: %(count)s picture is %(heir)s now.",
            "%(label)s is merged: %(count)s pictures are %(heir)s now.",
            count,
        )
    else:
        text = ngettext(
            "%(label)s is deleted: %(count)s picture is unlabelled now.",
            "%(label)s is deleted: %(count)s pictures are unlabelled now.",
            count,
        )
    return text % values


def told_acts(actions: Sequence[TagAction]) -> list[str]:
    """Each in its sentence; those that took a label away name it, for their undo brings it back."""
    removed = dict(Label.every.filter(removal__in=actions).values_list("removal_id", "name"))
    return [
        told_removal(removed[action.pk], action.label_name, action.changed)
        if action.pk in removed
        else told_act(action)
        for action in actions
    ]


def told_undo(undone: Undone) -> str:
    """“Undone for 120 pictures. 8 were changed since and stay. 2 had the label 狗, which is gone for good.”"""
    lost = [told_lost(name, count) for name, count in undone.lost.items()]
    if undone.stopped and not undone.changed:
        return gettext("Stopped before it changed a picture.")
    since = undone.skipped - sum(undone.lost.values())
    if not undone.changed and not lost:
        return gettext("Nothing to undo: these pictures were changed since, or this was undone already.")
    text = ngettext("Undone for %(count)s picture.", "Undone for %(count)s pictures.", undone.changed)
    told = [gettext("It was still going on, and was stopped.")] if undone.stopped else []
    told.append(text % {"count": intcomma(undone.changed)})
    if since:
        text = ngettext(
            "%(count)s was changed since and stays.", "%(count)s were changed since and stay.", since
        )
        told.append(text % {"count": intcomma(since)})
    return " ".join(told + lost)


def told_lost(label: str, count: int) -> str:
    """“2 had the label 狗, which is gone for good, and stay as they are.”"""
    text = ngettext(
        "%(count)s had the label %(label)s, which is gone for good, and stays as it is.",
        "%(count)s had the label %(label)s, which is gone for good, and stay as they are.",
        count,
    )
    return text % {"count": intcomma(count), "label": label}


def told_happening(happening: Happening) -> str:
    """“ann: 12,000 pictures tagged 狗”: what somebody just did, where it is too much to show one by one."""
    count, who = happening.images, happening.user.get_username() if happening.user else "–"
    if happening.kind == HappeningKind.PICTURES:
        text = ngettext("%(who)s imported %(count)s picture", "%(who)s imported %(count)s pictures", count)
        return text % {"count": intcomma(count), "who": who}
    action = happening.action
    if happening.kind == HappeningKind.UNDO or action is None:
        text = ngettext(
            "%(who)s undid a change of %(count)s picture",
            "%(who)s undid a change of %(count)s pictures",
            count,
        )
        return text % {"count": intcomma(count), "who": who}
    part = TagAction(kind=action.kind, label_name=action.label_name, changed=count)
    return gettext("%(who)s: %(what)s") % {"who": who, "what": told_act(part)}
