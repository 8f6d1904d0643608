"""How an act on the bench is asked for and answered: once, by a script (JSON) or a plain form."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext_noop

from datasets.bulk_tagging import MOST_AT_ONCE
from datasets.counts import counts_of
from datasets.labels import label_named
from datasets.models import Dataset, Image, TagAction
from datasets.selection import Filter, Selection, labels_named
from projects.models import Role
from web.idempotency import answer_together
from web.problems import refusal
from web.reading import Unreadable, read_json
from web.sentences import Conflict, Refusal

MAY_DELETE = Role.ENGINEER
MAY_EDIT_LABELS = Role.ENGINEER


class BadAct(Refusal):
    """A request that names no pictures, or not in a way we know."""

    code = "bad-act"
    status = 422


class SomebodyElse(Conflict):
    """The page belongs to one person, and another one is signed in in this browser by now."""

    code = "somebody-else"


@dataclass(frozen=True)
class Asked:
    """What an act's request says. `view` is the filter on the screen, for the numbers in the answer."""

    dataset: Dataset
    user: User
    body: Mapping[str, Any]
    view: Filter

    @property
    def chosen(self) -> "QuerySet[Image]":
        """The pictures that are meant: ids, a filter, or those of an act that is done again."""
        if "again" in self.body:
            return Image.objects.filter(changes__action=self.action("again"))
        if "filter" in self.body:
            wanted = self.filter_of(self.body["filter"])
            if (name := wanted.get("label")) and not labels_named(self.dataset, name):
                label_named(self.dataset, name)  # raises UnknownLabel: nothing chosen is not nothing to do
            return Selection.of(self.dataset, filter=wanted)
        ids = self.body.get("images")
        if not isinstance(ids, list) or not ids or not all(str(each).isdecimal() for each in ids):
            raise BadAct(gettext_noop("No picture was chosen."))
        return Selection.of(self.dataset, images=[int(each) for each in ids])

    @property
    def few(self) -> bool:
        """The pictures are named one by one, and are not too many for a request."""
        ids = None if self.body.keys() & {"again", "filter"} else self.body.get("images")
        return isinstance(ids, list) and len(ids) <= MOST_AT_ONCE

    @staticmethod
    def filter_of(sent: Any) -> dict[str, str]:
        """The filter's query string. Nothing else may pass for “no filter”, which would mean every picture."""
        if not isinstance(sent, str):
            raise BadAct(gettext_noop("No picture was chosen."))
        try:
            return dict(parse_qsl(sent, strict_parsing=bool(sent), keep_blank_values=True))
        except ValueError as error:
            raise BadAct(gettext_noop("No picture was chosen.")) from error

    def number(self, key: str) -> int:
        """A number in the request; 0, which nothing has, where it is none."""
        number = str(self.body.get(key))
        return int(number) if number.isdecimal() and len(number) < 19 else 0

    def fraction(self, key: str) -> float:
        """A number from 0 to 1 in the request, or nothing, which is 0."""
        try:
            number = float(self.body.get(key) or 0)
        except (TypeError, ValueError):
            number = -1.0
        if not 0 <= number <= 1:
            raise BadAct(gettext_noop("How sure suggestions must be is a number from 0 to 1."))
        return number

    def action(self, key: str) -> TagAction:
        """An earlier act on this data set."""
        return get_object_or_404(self.dataset.actions, pk=self.number(key))


@dataclass(frozen=True)
class Done:
    """An act's outcome in a sentence."""

    message: str
    changed: int
    action: int | None = None
    labels_changed: bool = False


Act = Callable[[Asked], Done]


def acknowledged(request: HttpRequest, dataset: Dataset, act: Act) -> HttpResponse:
    """Carry out once; a script gets JSON with fresh counts, a form goes back to the bench with a message."""
    if request.content_type != "application/json":
        return by_form(request, dataset, act)
    try:
        refuse_somebody_else(request)
        asked = asked_by_script(request, dataset)
        return once(request, asked, act)
    except Refusal as error:
        return refusal(error)


def refuse_somebody_else(request: HttpRequest) -> None:
    """What one person did on a page that is still open is never done in the name of who signed in since."""
    owner = request.headers.get("X-Taxon-Person")
    if owner and owner != str(person(request).pk):
        raise SomebodyElse(gettext_noop("Somebody else is signed in in this browser now."))


def asked_by_script(request: HttpRequest, dataset: Dataset) -> Asked:
    """A fetch's JSON."""
    body = json_of(request)
    view = Filter.from_params(dict(parse_qsl(str(body.get("view", "")))))
    return Asked(dataset, person(request), body, view)


def once(request: HttpRequest, asked: Asked, act: Act) -> HttpResponse:
    """The key, the act and its answer are one transaction: a repeat finds all of them or none.

    The counts are read after it, so that nobody's act waits for them, and a repeat gets fresh ones.
    """
    key = request.headers.get("Idempotency-Key", "")[:255]
    if key:
        answer = answer_together(request, key, lambda _again: carried_out(asked, act))
    else:
        with transaction.atomic():
            answer = carried_out(asked, act)
    if answer.status_code != HTTPStatus.OK:
        return answer
    counted = JsonResponse(
        json.loads(answer.content) | {"counts": counts_of(asked.dataset, asked.view).to_json()}
    )
    if "Idempotent-Replayed" in answer:
        counted["Idempotent-Replayed"] = "true"
    return counted


def carried_out(asked: Asked, act: Act) -> HttpResponse:
    """What the act says of itself; in a transaction of the caller's, of which nothing stays where it is refused."""
    try:
        done = act(asked)
    except Refusal as error:
        transaction.set_rollback(True)
        return refusal(error)
    return JsonResponse(asdict(done))


def json_of(request: HttpRequest) -> dict[str, Any]:
    """The body, which is an object."""
    try:
        body = read_json(request.body)
    except Unreadable:
        body = None
    if not isinstance(body, dict):
        raise BadAct(gettext_noop("The request is not a JSON object."))
    return body


def by_form(request: HttpRequest, dataset: Dataset, act: Act) -> HttpResponse:
    """The answer to a form without scripts."""
    sent = request.POST
    body: dict[str, Any] = {key: sent[key] for key in ("action", "move_to", "at_least") if key in sent}
    body |= {"filter": sent.get("filter", "")} if sent.get("all") else {"images": sent.getlist("images")}
    body |= {"label": sent.get("label", "").strip() or sent.get("typed", "").strip(), "create": True}
    body |= {"untag": "untag" in sent, "unskip": "unskip" in sent}
    try:
        done = act(Asked(dataset, person(request), body, Filter()))
        messages.success(request, done.message)
    except Refusal as error:
        messages.error(request, str(error))
    if sent.get("back") in ("changes", "trash"):
        return redirect(f"datasets:{sent['back']}", dataset.pk)
    query = sent.get("view", "")
    return redirect(reverse("datasets:detail", args=[dataset.pk]) + (f"?{query}" if query else ""))


def person(request: HttpRequest) -> User:
    """Who is signed in; the views let nobody else through."""
    assert isinstance(request.user, User)
    return request.user
