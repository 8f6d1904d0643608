"""What an open bench asks every second or so: what happened since, how those pictures are now, who else is here."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from datasets import live
from datasets.access import dataset_for
from datasets.counts import counts_of
from datasets.models import Dataset, Happening, HappeningKind
from datasets.progress_by_person import tagged_today
from datasets.selection import Filter, images_matching
from datasets.templatetags.labels import hue
from datasets.told import told_happening
from datasets.views.acknowledging import SomebodyElse, person, refuse_somebody_else
from web.problems import refusal
from web.sentences import Refusal

NOTHING_NEW = 204


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def news(request: HttpRequest, pk: int) -> HttpResponse:
    """GET: what came after `heard`, for a bench that shows this filter. POST, every 20 s: this person is here."""
    dataset = dataset_for(request.user, pk)
    if request.method == "POST":
        live.seen(dataset, person(request))
        return HttpResponse(status=NOTHING_NEW)
    try:
        refuse_somebody_else(request)
    except SomebodyElse as error:
        return refusal(error)
    since = request.GET.get("heard", "")
    if not since.isdecimal() or len(since) > 18:
        return JsonResponse({"last": live.latest(dataset)})
    happened = live.happened_since(dataset, int(since))
    here = live.who_is_here(dataset)
    marks = ",".join(str(each.pk) for each in here)
    if not happened and request.GET.get("here") == marks:
        return HttpResponse(status=NOTHING_NEW)
    answer: dict[str, Any] = {"here": [shown(each) for each in here], "marks": marks}
    if happened:
        answer |= told(dataset, happened, person(request), filter_shown(request))
    return JsonResponse(answer)


@never_cache
@login_required
@require_safe
def who(request: HttpRequest, pk: int) -> HttpResponse:
    """Who is signed in in this browser by now, and the token that their requests carry."""
    dataset_for(request.user, pk)
    return JsonResponse(shown(person(request)) | {"token": get_token(request)})


def filter_shown(request: HttpRequest) -> Filter:
    """The grid's filter; a label that went meanwhile leaves it as it is, a filter that is none means all."""
    try:
        return Filter.from_params(request.GET)
    except Refusal:
        return Filter()


def told(dataset: Dataset, happened: list[Happening], reader: User, wanted: Filter) -> dict[str, Any]:
    """The changed pictures as they are now, and in a sentence what is too large to show one by one."""
    touched = live.touched_by(happened)
    matching = set(
        images_matching(dataset, wanted)
        .filter(pk__in=list(touched.by))
        .order_by()
        .values_list("pk", flat=True)
    )
    return {
        "last": happened[-1].pk,
        "more": len(happened) == live.MOST_HAPPENINGS,
        "labels": any(each.kind == HappeningKind.LABELS for each in happened),
        "large": [
            {
                "id": each.pk,
                "told": told_happening(each),
                "action": each.action_id,
                "mine": each.user == reader,
            }
            for each in happened
            if each in touched.large or each.kind == HappeningKind.PICTURES
        ],
        "images": [
            {
                "id": image.pk,
                "label": {"name": image.label.name, "hue": hue(image.label)} if image.label else None,
                "trashed": image.trashed_at is not None,
                "skipped": image.skipped_at is not None,
                "matches": image.pk in matching,
                "who": name_of(touched.by[image.pk].user),
                "initials": initials(touched.by[image.pk].user),
                "mine": touched.by[image.pk].user == reader,
                "action": touched.by[image.pk].action_id,
            }
            for image in live.as_they_are(dataset, touched.by)
        ],
        "counts": counts_of(dataset, wanted).to_json(),
        "today": tagged_today(dataset, reader),
    }


def shown(user: User) -> dict[str, Any]:
    """A person for the page."""
    return {"user": user.pk, "name": name_of(user), "initials": initials(user)}


def name_of(user: User | None) -> str:
    """As people call each other."""
    return (user.get_full_name() or user.get_username()) if user else "–"


def initials(user: User | None) -> str:
    """Two letters; of a name in Chinese characters the last two, which is the given name."""
    words = name_of(user).replace(".", " ").replace("_", " ").replace("-", " ").split()
    if not words:
        return "–"
    if len(words) == 1:
        return words[0][-2:] if ord(words[0][0]) > 0x2E7F else words[0][:2].upper()
    return (words[0][0] + words[-1][0]).upper()
