"""How an act on the bench is asked for and answered: once, by a script (JSON) or a plain form."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext_noop

from datasets.counts import counts_of
from datasets.models import Dataset, Image, TagAction
from datasets.selection import Filter, Selection
from projects.models import Role
from web.idempotency import answer_once
from web.problems import refusal
from web.sentences import Refusal

MAY_DELETE = Role.ENGINEER
MAY_EDIT_LABELS = Role.ENGINEER


class BadAct(Refusal):
    """A request that names no pictures, or not in a way we know."""

    code = "bad-act"
    status = 422


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
            return Selection.of(self.dataset, filter=self.filter_of(self.body["filter"]))
        ids = self.body.get("images")
        if not isinstance(ids, list) or not ids or not all(str(each).isdecimal() for each in ids):
            raise BadAct(gettext_noop("No picture was chosen."))
        return Selection.of(self.dataset, images=[int(each) for each in ids])

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
    key = request.headers.get("Idempotency-Key", "")[:255]
    if not key:
        return by_script(request, dataset, act)
    return answer_once(request, key, lambda again: by_script(again, dataset, act))


def by_script(request: HttpRequest, dataset: Dataset, act: Act) -> HttpResponse:
    """The answer to a fetch."""
    try:
        body = json_of(request)
        view = Filter.from_params(dict(parse_qsl(str(body.get("view", "")))))
        done = act(Asked(dataset, person(request), body, view))
    except Refusal as error:
        return refusal(error)
    answer = {
        "action": done.action,
        "changed": done.changed,
        "message": done.message,
        "labels_changed": done.labels_changed,
        "counts": counts_of(dataset, view).to_json(),
    }
    return JsonResponse(answer)


def json_of(request: HttpRequest) -> dict[str, Any]:
    """The body, which is an object."""
    try:
        body = json.loads(request.body)
    except ValueError:
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
    body["untag"] = "untag" in sent
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
