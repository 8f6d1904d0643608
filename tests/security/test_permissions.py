"""Every address as everybody, against the table in docs/permissions.md."""

from collections.abc import Iterable, Iterator

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from datasets.models import Dataset
from jobs.models import Job
from projects.tokens import make_token
from serving.models import Service
from tests.queue import RealQueue
from tests.security.bodies import BODIES
from tests.security.routes import admin_routes, all_routes
from tests.security.table import DOORS, METHODS, Row, rows
from tests.security.world import World, Worlds, archive, places

ALL = rows()
TRIED = [row for row in ALL if row.at_least not in ("own-door", "operator")]
ABOUT_PROJECTS = [row for row in TRIED if row.is_about_a_project]
WITH_OBJECTS = [row for row in ABOUT_PROJECTS if places(row.route)]
FOR_TOKENS = [row for row in TRIED if row.token not in ("page", "session")]
FOR_PEOPLE = [row for row in TRIED if row.token in ("page", "session") and row.at_least != "anyone"]
Answer = tuple[str, HttpResponse]


@pytest.fixture
def worlds(db: None) -> Worlds:
    return Worlds.make()


def send(client: Client, row: Row, world: World, swap: dict[int, object] | None = None) -> HttpResponse:
    """One request, with whatever it changed taken back."""
    body = BODIES.get(str(row), lambda _: {})(world)
    as_json = not body.pop("as form", False) and not row.is_page and row.method != "GET"
    with transaction.atomic():
        call = getattr(client, row.method.lower())
        kind = {"content_type": "application/json"} if as_json else {}
        answer = call(world.address(row.route, swap), body, **kind)
        transaction.set_rollback(True)
    if answer.streaming:
        answer.getvalue()  # read to its end, as a client would; that closes the file behind it
    return answer


def signed_in(worlds: Worlds, name: str) -> Client:
    client = Client()
    client.force_login(worlds.team.people[name])
    return client


def says(answer: HttpResponse) -> str:
    """What an answer means for a door."""
    if answer.status_code == 302 and "/accounts/login/?next=" in answer["Location"]:
        return "sign in"
    refused = {
        401: "sign in",
        403: "forbidden",
        404: "not found",
        405: "no such method",
        422: "not understood",
    }
    return refused.get(answer.status_code, "let in" if answer.status_code < 500 else "broken")


def wrong(expected: str, answers: Iterable[Answer]) -> list[str]:
    """The cases that answer something else, in words."""
    return [
        f"{case}: {says(answer)} ({answer.status_code}), not {expected}"
        for case, answer in answers
        if says(answer) != expected
    ]


def asked(worlds: Worlds, wanted: Iterable[tuple[Row, str]]) -> Iterator[Answer]:
    """The answers to these people at these addresses of their own project."""
    clients: dict[str, Client] = {}
    for row, name in wanted:
        client = clients.setdefault(name, signed_in(worlds, name))
        yield f"{row} as {name}", send(client, row, worlds.own)


def test_every_address_has_a_line_in_the_table() -> None:
    assert sorted(set(all_routes()) - {row.route for row in ALL}) == [], "add them to docs/permissions.md"


def test_the_table_names_nothing_that_is_gone_and_nothing_twice() -> None:
    assert sorted({row.route for row in ALL} - set(all_routes())) == []
    assert {row.at_least for row in ALL} <= set(DOORS)
    assert len(ALL) == len(set(map(str, ALL)))


def test_a_method_without_a_line_does_not_exist(worlds: Worlds) -> None:
    owner, listed = signed_in(worlds, "owner"), set(map(str, ALL))
    routes = {row.route for row in TRIED}
    unlisted = [Row(method, route, "owner", "page") for route in sorted(routes) for method in METHODS]
    answers = [(str(row), send(owner, row, worlds.own)) for row in unlisted if str(row) not in listed]
    assert wrong("no such method", answers) == []


def test_nobody_signed_in_is_asked_to_sign_in(worlds: Worlds) -> None:
    for row in TRIED:
        expected = "let in" if row.at_least == "anyone" else "sign in"
        assert wrong(expected, [(str(row), send(Client(), row, worlds.own))]) == []


def test_a_role_too_small_is_forbidden(worlds: Worlds) -> None:
    assert (
        wrong("forbidden", asked(worlds, ((row, role) for row in ABOUT_PROJECTS for role in row.too_small)))
        == []
    )


def test_a_role_large_enough_is_let_in(worlds: Worlds) -> None:
    assert (
        wrong("let in", asked(worlds, ((row, role) for row in ABOUT_PROJECTS for role in row.enough))) == []
    )


def test_everybody_with_an_account_is_let_in(worlds: Worlds) -> None:
    for_all = [row for row in TRIED if row.at_least == "person"]
    names = ("stranger", "viewer", "operator")
    assert wrong("let in", asked(worlds, ((row, name) for row in for_all for name in names))) == []


def test_for_strangers_and_operators_a_projects_objects_do_not_exist(worlds: Worlds) -> None:
    names = ("stranger", "operator")
    assert wrong("not found", asked(worlds, ((row, name) for row in WITH_OBJECTS for name in names))) == []


def test_another_projects_object_and_a_deleted_one_do_not_exist(worlds: Worlds) -> None:
    owner = signed_in(worlds, "owner")

    def answers() -> Iterator[Answer]:
        for row in WITH_OBJECTS:
            for place in range(places(row.route)):
                mine = worlds.own.at(row.route, place)
                # Numbers within a model are the same in both projects.
                others = {worlds.other.at(row.route, place), worlds.own.gone(row.route, place)} - {mine}
                for other in others:
                    yield f"{row} with {other} at {place}", send(owner, row, worlds.own, {place: other})

    assert wrong("not found", answers()) == []


def test_an_archived_project_is_closed_to_everybody(worlds: Worlds) -> None:
    archive(worlds.own.project)
    names = ("viewer", "owner", "operator")
    assert wrong("not found", asked(worlds, ((row, name) for row in WITH_OBJECTS for name in names))) == []


def test_a_token_with_the_scope_is_let_in_and_one_without_is_not(worlds: Worlds) -> None:
    program = worlds.team.program
    for row in FOR_TOKENS:
        with_it, without = (
            program("owner", scopes=[row.token]),
            program("owner", scopes=sorted(SCOPES - {row.token})),
        )
        assert wrong("let in", [(str(row), send(with_it, row, worlds.own))]) == []
        assert wrong("forbidden", [(str(row), send(without, row, worlds.own))]) == []


SCOPES = {row.token for row in FOR_TOKENS}


def test_a_token_does_no_more_than_its_persons_role(worlds: Worlds) -> None:
    answers = (
        (f"{row} with a token of {role}", send(worlds.team.program(role), row, worlds.own))
        for row in FOR_TOKENS
        for role in row.too_small
    )
    assert wrong("forbidden", answers) == []


def test_a_token_opens_its_own_project_alone(worlds: Worlds) -> None:
    elsewhere = worlds.team.program("stranger")  # the owner of the other project
    # Whoever may list services is told that there is none; see serving.access.
    rows_of_objects = [row for row in FOR_TOKENS if places(row.route)]
    assert wrong("not found", ((str(row), send(elsewhere, row, worlds.own)) for row in rows_of_objects)) == []


def test_a_services_own_token_opens_that_service_alone(worlds: Worlds) -> None:
    engineer = worlds.team.people["engineer"]
    _, secret = make_token(
        project=worlds.own.project, user=engineer, name="till", scopes=["predict"], resource="service:0"
    )
    narrow = Client(headers={"Authorization": f"Bearer {secret}"})
    for row in FOR_TOKENS:
        assert says(send(narrow, row, worlds.own)) in ("forbidden", "not found"), row


def test_no_token_opens_what_is_for_people(worlds: Worlds) -> None:
    program = worlds.team.program("owner")
    for row in FOR_PEOPLE:
        assert says(send(program, row, worlds.own)) in ("forbidden", "sign in"), row


def test_the_administration_is_for_operators_alone(worlds: Worlds, redis_server: RealQueue) -> None:
    worlds.team.people["staff"] = User.objects.create_user("staff", is_staff=True)
    operator = signed_in(worlds, "operator")
    for route in admin_routes():
        address = "/" + route.replace("^", "").replace("/?$", "")
        assert Client().get(address).status_code in (302, 401), (
            address
        )  # the sign-in; a scraper without a token
        for name in ("stranger", "owner", "staff"):
            assert signed_in(worlds, name).get(address).status_code == 404, f"{address} as {name}"
        # 403: adding and changing what only the product's own functions write; 405: signing out is a POST.
        assert operator.get(address).status_code in (200, 302, 403, 405), address


def test_what_lies_in_the_trash_is_gone_for_all_that_is_not_about_the_trash(worlds: Worlds) -> None:
    Dataset.objects.filter(pk=worlds.own.ids["datasets"]).update(trashed_at=timezone.now())
    Service.objects.filter(slug=worlds.own.ids["services"]).update(released_at=timezone.now())
    nouns_gone = ("datasets/<", "images/<", "imports/<", "services/<")
    gone = [
        row
        for row in WITH_OBJECTS
        if any(noun in row.route for noun in nouns_gone) and "restore" not in row.route
    ]
    assert len(gone) > 50
    assert wrong("not found", asked(worlds, ((row, "owner") for row in gone))) == []


def test_a_labeller_cannot_cancel_somebody_elses_work_and_an_engineer_can(worlds: Worlds) -> None:
    people = worlds.team.people
    job = Job.objects.create(
        project=worlds.own.project, kind="training.train", queue="training", created_by=people["owner"]
    )
    assert signed_in(worlds, "labeller").post(f"/jobs/{job.pk}/cancel/").status_code == 403
    job.refresh_from_db()
    assert not job.cancel_requested
    with transaction.atomic():
        assert signed_in(worlds, "engineer").post(f"/jobs/{job.pk}/cancel/").status_code == 302
