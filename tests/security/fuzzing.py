"""Makes requests that put another project's ids in every place, and says what went wrong with an answer."""

import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.db import connection, models, transaction
from django.http import HttpResponse
from django.test import Client

from datasets import filters
from datasets.models import Dataset, Image, Import, Label, Upload
from projects.models import AccessToken, AuditEntry, Invitation, Project
from projects.tokens import make_token
from serving.models import Service
from tests.security.bodies import BODIES
from tests.security.table import Row, rows
from tests.security.world import World, Worlds, places
from training.models import ModelVersion, RegisteredModel
from web.pagination import encode

LONG = os.environ.get("TAXON_FAULTS") == "long"
REQUESTS = 2000 if LONG else 150
TRIED = [row for row in rows() if row.at_least not in ("own-door", "operator") and "logout" not in row.route]
WITH_OBJECTS = [row for row in TRIED if row.is_about_a_project and places(row.route)]
READS = [row for row in WITH_OBJECTS if row.method == "GET"]
LISTS = [
    "api/v1/projects",
    "api/v1/datasets",
    "api/v1/datasets/<int:pk>/images",
    "api/v1/datasets/<int:pk>/labels",
    "api/v1/datasets/<int:pk>/imports",
    "api/v1/models",
    "api/v1/services",
]
OPERATORS = {
    "label__dataset__project": "1",
    "label__name__startswith": "m",
    "id__gt": "0",
    "pk__in": "1,2,3",
    "dataset__project_id": "2",
    "created_by__password__startswith": "pbkdf2",
    "trashed_at__isnull": "0",
    "_connector": "OR",
    "_negated": "1",
    "name__regex": "^mk",
    "suggestion__label__name": "red",
    "dataset__project__memberships__user__password__startswith": "pbkdf2",
    "dataset__project__tokens__digest__gt": "0",
    "source__created_by__username": "stranger",
    "uploader__password": "x",
    "like__dataset": "1",
    "order__in": "id",
    "filter[label__name]": "red",
    "label[$ne]": "",
}
ORDERS = [
    "created_by__password",
    "-label__dataset_id",
    "dataset__project",
    "?",
    "pk",
    "-sha256",
    "id;--",
    "confidence,id",
    "label__name",
    "suggestion__label__dataset__project__name",
    "dataset__project__memberships__user__password",
    "dataset__project__tokens__digest",
    "-source__created_by__last_login",
    "id__gt",
    "--id",
    "+id",
    " id",
    "ID",
    "id,name",
    "id desc",
    "sha256__startswith",
    "-?",
    "name.collate",
    "RANDOM()",
]
GOOD_ORDERS, STATES = list(filters.ORDERS), list(filters.STATES)
ACTORS = ("nobody", "viewer", "labeller", "engineer", "owner")


@dataclass
class Attack:
    """Two projects, the markers that only the other one holds, and who asks."""

    worlds: Worlds
    markers: set[str]
    clients: dict[str, Client] = field(default_factory=dict)
    dice: random.Random = field(default_factory=random.Random)

    @property
    def own(self) -> World:
        """The project of those who ask."""
        return self.worlds.own

    @property
    def other(self) -> World:
        """The project they have nothing to do with."""
        return self.worlds.other


@pytest.fixture
def attack(db: None) -> Attack:
    worlds = Worlds.make()
    people = worlds.team.people | {"nobody": User.objects.create_user("nobody")}
    made = Attack(worlds, planted(worlds.other))
    made.dice.seed(int(os.environ.get("TAXON_FAULTS_SEED", "1")))
    for name in ACTORS:
        made.clients[name] = Client()
        made.clients[name].force_login(people[name])
        if name != "nobody":
            _, secret = make_token(project=made.own.project, user=people[name], name="test")
            made.clients[f"{name}'s token"] = Client(headers={"Authorization": f"Bearer {secret}"})
    return made


def planted(world: World) -> set[str]:
    """Names that occur in this project alone, on everything that has one."""
    marks: set[str] = set()

    def mark(rows_of: "models.QuerySet[Any]", column: str, ending: str = "") -> None:
        for row in rows_of:
            word = f"mk{row._meta.model_name[:3]}{column[:2]}{str(row.pk)[:6]}q7"
            marks.add(word)
            rows_of.model._default_manager.filter(pk=row.pk).update(**{column: word + ending})

    project = world.project
    mark(Project.objects.filter(pk=project.pk), "name")
    mark(Dataset.objects.filter(project=project), "name")
    mark(Dataset.objects.filter(project=project), "description")
    mark(Label.objects.filter(dataset__project=project), "name")
    mark(Image.objects.filter(dataset__project=project), "name", ".png")
    mark(Import.objects.filter(dataset__project=project), "label_name")
    mark(Upload.objects.filter(project=project), "name", ".zip")
    mark(RegisteredModel.objects.filter(project=project), "name")
    mark(RegisteredModel.objects.filter(project=project), "contact")
    mark(Service.objects.filter(project=project), "name")
    mark(Service.objects.filter(project=project), "slug")
    mark(Invitation.objects.filter(project=project), "name")
    mark(AccessToken.objects.filter(project=project), "name")
    mark(AccessToken.objects.filter(project=project), "prefix")
    mark(AuditEntry.objects.filter(project=project), "target")
    mark(User.objects.filter(memberships__project=project), "username")
    world.ids["services"] = Service.objects.get(project=project).slug
    version = ModelVersion.objects.get(model__project=project)
    marks.add(version.file_sha256[:12]) if same_file_nowhere_else(version) else None
    return marks


def same_file_nowhere_else(version: ModelVersion) -> bool:
    """Whether no other project's model has the very same bytes."""
    return ModelVersion.objects.filter(file_sha256=version.file_sha256).count() == 1


# What belongs to a project: every row that leads to it, whoever's it is.


def belongings(project: Project) -> dict[str, Any]:
    """The project's row and, over foreign keys, all that point at it: a link from another project's row counts."""
    found: dict[str, dict[Any, dict[str, Any]]] = {}
    waiting: list[tuple[type[models.Model], dict[str, Any]]] = [(Project, {"pk": project.pk})]
    while waiting:
        model, where = waiting.pop()
        known, key = found.setdefault(model._meta.label, {}), model._meta.pk.attname
        fresh = {
            row[key]: row for row in model._base_manager.filter(**where).values() if row[key] not in known
        }
        known.update(fresh)
        if fresh:
            waiting += [
                (link.related_model, {f"{link.field.name}__in": list(fresh)}) for link in links_to(model)
            ]
    return found


def links_to(model: type[models.Model]) -> list[Any]:
    """The foreign keys that point at it, those without a way back included."""
    links = model._meta.get_fields(include_hidden=True)
    return [link for link in links if link.auto_created and not link.concrete and not link.many_to_many]


@contextmanager
def writes() -> Iterator[list[str]]:
    """The statements that changed something."""
    seen: list[str] = []

    def watch(execute: Any, sql: str, *more: Any) -> Any:
        if sql.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")):
            seen.append(sql)
        return execute(sql, *more)

    with connection.execute_wrapper(watch):
        yield seen


# Drawing a request.


@dataclass
class Shot:
    """One request."""

    row: Row
    who: str
    path: str
    body: Any
    as_json: bool
    crossed: bool  # an address that names an object of the other project

    def __str__(self) -> str:
        return f"{self.row.method} {self.path} as {self.who} with {self.body!r}"[:600]


def drawn(attack: Attack) -> Shot:
    """A request with the other project's ids in some places and noise in others."""
    dice = attack.dice
    row = dice.choice(TRIED if dice.random() < 0.2 else WITH_OBJECTS)
    many = places(row.route)
    swapped = [place for place in range(many) if dice.random() < 0.4]
    swap = {place: attack.other.at(row.route, place) for place in swapped}
    crossed = any(swap[place] != attack.own.at(row.route, place) for place in swapped)
    path = attack.own.address(row.route, swap)
    if dice.random() < 0.6:
        path += "?" + urlencode(query(attack), doseq=True)
    body = {} if row.method == "GET" else spoilt_body(attack, row)
    as_json = not body.pop("as form", False) and (not row.is_page or dice.random() < 0.4)
    return Shot(row, dice.choice(sorted(attack.clients)), path, body, as_json, crossed)


def foreign(attack: Attack) -> Any:
    """Some id of the other project."""
    return attack.dice.choice(list(attack.other.ids.values()))


def noise(attack: Attack) -> Any:
    """A value as an attacker would try it."""
    cursors = [
        encode([foreign(attack), 1]),
        encode(["zz", "zz"]),
        encode([2**70]),
        encode([1.5, 0]),
        encode([True]),
    ]
    odd = [
        "",
        "0",
        "-1",
        "1e9",
        "9" * 40,
        "9" * 5000,
        "' OR 1=1 --",
        "../../etc/passwd",
        "all",
        "null",
        "suggested",
    ]
    texts = ["狗" * 80, '{"id__gt": 0}', "trashed", "-confidence", "{{7*7}}", "²", "\x00", "NaN", "1" * 19]
    return attack.dice.choice([foreign(attack), *ORDERS, *GOOD_ORDERS, *STATES, *cursors, *odd, *texts])


KEYS = [
    "label",
    "state",
    "import",
    "order",
    "cursor",
    "limit",
    "project",
    "outcome",
    "top",
    "page",
    "move_to",
    "true",
    "predicted",
    "view",
    "dataset",
    "version",
    "revision",
    "images",
    "filter",
    "confirm",
    "action",
    "into",
    "q",
    *filters.READERS,
]


def query(attack: Attack) -> dict[str, Any]:
    """Up to four parameters, known ones and such as look like ORM lookups."""
    chosen = attack.dice.sample(sorted({*KEYS, *OPERATORS}), attack.dice.randint(1, 4))
    return {
        key: OPERATORS[key] if key in OPERATORS and attack.dice.random() < 0.5 else noise(attack)
        for key in chosen
    }


def spoilt_body(attack: Attack, row: Row) -> dict[str, Any]:
    """The right body with the other project's ids in it, or with noise for a value, or more keys than asked for."""
    dice = attack.dice
    make = BODIES.get(str(row), lambda _: {})
    body = make(attack.other if dice.random() < 0.6 else attack.own)
    if "as form" in body:
        return body
    for key in [key for key in body if dice.random() < 0.2]:
        body[key] = dice.choice([noise(attack), [foreign(attack)], {"id__gt": 0}, None, [[]], 2**70])
    if dice.random() < 0.4:
        body |= dice.choice(extras(attack))
    return body


def extras(attack: Attack) -> list[dict[str, Any]]:
    """What a body might name besides."""
    ids = attack.other.ids
    asked = [{"import": ids["imports"]}, {"label__dataset__project": 1}, {"label": str(ids["labels"])}]
    asked += [{"order": order} for order in [*ORDERS, *GOOD_ORDERS]] + [
        {"import": "9" * 5000},
        {"label": {"pk": 1}},
        {"state": []},
    ]
    return [
        {"images": [ids["images"]]},
        {"images": [attack.own.ids["images"], ids["images"]]},
        {"filter": attack.dice.choice(asked), "images": None},
        {"filter": urlencode(attack.dice.choice(asked)), "all": "1"},
        {"view": urlencode(query(attack), doseq=True)},
        {"into": ids["labels"], "move_to": ids["labels"]},
        {"data": [{"dataset": ids["datasets"], "labels": "all"}], "dataset": ids["datasets"]},
        {"model": ids["models"], "version": ids["versions"], "project": ids["projects"]},
        {"upload": ids["uploads"]},
        {"action": ids["tag-actions"], "revision": 2**70},
        {"prediction": ids["predictions"], "snapshot": 1},
        {"user": "stranger", "project_id": ids["projects"], "created_by__password": "x"},
    ]


def fired(attack: Attack, shot: Shot) -> HttpResponse:
    """The answer, read to its end, with the request's own changes still there."""
    client = attack.clients[shot.who]
    client.raise_request_exception = False
    call = getattr(client, shot.row.method.lower())
    if shot.as_json and shot.row.method != "GET":
        return call(shot.path, json.dumps(shot.body, default=str), content_type="application/json")
    form = {
        key: json.dumps(value) if isinstance(value, (dict, type(None))) else value
        for key, value in shot.body.items()
    }
    if shot.row.method in ("GET", "POST"):
        return call(shot.path, form)
    return call(shot.path, urlencode(form, doseq=True), content_type="application/x-www-form-urlencoded")


def told(answer: HttpResponse) -> str:
    """All that a caller sees: headers and body."""
    body = answer.getvalue() if answer.streaming else answer.content
    return f"{dict(answer.items())} {body.decode('utf8', 'replace')}"


def faults(attack: Attack, shot: Shot, before: dict[str, Any], seen: Counter[str]) -> list[str]:
    """What is wrong with the answer to one request."""
    with transaction.atomic():
        with writes() as changed:
            answer = fired(attack, shot)
        text, status = told(answer), answer.status_code
        touched = bool(changed) and belongings(attack.other.project) != before
        transaction.set_rollback(True)
    seen[f"{status // 100}xx"] += 1
    sent = f"{shot.path} {shot.body}"
    leaked = sorted(mark for mark in attack.markers if mark in text and mark not in sent)
    wrong = [f"answers {status}"] if status >= 500 else []
    wrong += [f"tells {leaked}"] if leaked else []
    wrong += ["changes the other project"] if touched else []
    asked_to_sign_in = status == 302 and "/accounts/login/" in answer["Location"]
    wrong += [f"lets in ({status})"] if shot.crossed and status < 400 and not asked_to_sign_in else []
    return [f"{shot}: {each}" for each in wrong]
