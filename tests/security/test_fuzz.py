"""Random requests that carry another project's ids in every place: they learn nothing and change nothing."""

import json
from collections import Counter
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.db import transaction
from django.test import Client

from datasets.models import Image, Label, Suggestion
from tests.security.fuzzing import (
    GOOD_ORDERS,
    LISTS,
    OPERATORS,
    ORDERS,
    READS,
    REQUESTS,
    WITH_OBJECTS,
    Attack,
    attack,
    belongings,
    drawn,
    faults,
    told,
)
from tests.security.world import nouns
from web.pagination import encode

__all__ = ["attack"]


def test_random_requests_with_another_projects_ids_learn_nothing_and_change_nothing(attack: Attack) -> None:
    before, seen = belongings(attack.other.project), Counter[str]()
    wrong: list[str] = []
    for _ in range(REQUESTS):
        wrong += faults(attack, drawn(attack), before, seen)
    print(f"{REQUESTS} requests: {dict(seen)}")
    assert wrong == []
    assert belongings(attack.other.project) == before
    assert all(
        default_storage.exists(image.key)
        for image in Image.objects.filter(dataset__project=attack.other.project)
    )
    assert min(seen["2xx"], seen["4xx"]) > REQUESTS / 10, "requests that never get anywhere prove nothing"


def test_every_planted_name_can_be_seen_by_those_who_may(attack: Attack) -> None:
    """Else the search for them in strangers' answers could not fail."""
    client = Client()
    client.force_login(User.objects.get(pk=attack.other.owner.pk))
    text = " ".join(told(client.get(attack.other.address(row.route))) for row in READS)
    unseen = {mark for mark in attack.markers if mark not in text}
    # Nothing shows these to anybody, or only their own pages do; they are searched for all the same.
    kinds = {mark[2:7] for mark in unseen} - {"impla", "uplna", "audta"}
    assert kinds <= {"datde"}
    not_visited = {attack.other.ids["trashed"], attack.other.ids["other data set"]}
    assert {mark for mark in unseen if mark[2:7] == "datde"} == {f"mkdatde{pk}q7" for pk in not_visited}


def test_a_change_to_the_other_project_and_a_link_into_it_would_be_noticed(attack: Attack) -> None:
    before = belongings(attack.other.project)
    mine = Image.objects.get(pk=attack.own.ids["images"])
    Suggestion.objects.create(
        dataset=mine.dataset, image=mine, label_id=attack.other.ids["labels"], confidence=1, source="test"
    )
    assert belongings(attack.other.project) != before
    Suggestion.objects.all().delete()
    assert belongings(attack.other.project) == before
    Label.objects.filter(pk=attack.other.ids["labels"]).update(colour="#000000")
    assert belongings(attack.other.project) != before


def bodies_that_cross(attack: Attack) -> list[tuple[str, dict[str, Any]]]:
    """Each request of the API that names an object in its body, with the other project's there."""
    own, ids = attack.own.ids, attack.other.ids
    images, data = f"/api/v1/datasets/{own['datasets']}", [{"dataset": ids["datasets"], "labels": "all"}]
    mixed = [own["images"], ids["images"]]
    return [
        (f"POST {images}/tag", {"images": [ids["images"]], "label": "red"}),
        (f"POST {images}/tag", {"images": mixed, "label": "red"}),
        (f"POST {images}/accept-suggestions", {"images": mixed}),
        (f"DELETE {images}/images", {"images": mixed}),
        (f"POST {images}/imports", {"upload": ids["uploads"]}),
        (f"POST {images}/labels/{own['labels']}/merge", {"into": ids["labels"]}),
        (f"DELETE {images}/labels/{own['labels']}?move_to={ids['labels']}", {}),
        (f"POST {images}/tag-actions/{ids['tag-actions']}/undo", {}),
        ("POST /api/v1/datasets", {"name": "Birds", "project": ids["projects"]}),
        ("POST /api/v1/models", {"name": "Birds", "project": ids["projects"]}),
        (f"POST /api/v1/models/{own['models']}/versions", {"applications": ["cloud-general"], "data": data}),
        (
            "POST /api/v1/services",
            {"name": "B", "slug": "birds", "model": ids["models"], "version": ids["versions"]},
        ),
        (
            f"POST /api/v1/services/{own['services']}/feedback",
            {"prediction": ids["predictions"], "label": "red"},
        ),
        (f"POST /api/v1/services/{own['services']}/switch", {"versions": [{"version": 999}]}),
    ]


@pytest.mark.parametrize("who", ["owner", "owner's token"])
def test_another_projects_object_in_a_body_is_refused(attack: Attack, who: str) -> None:
    client, before = attack.clients[who], belongings(attack.other.project)
    answers = {}
    for what, body in bodies_that_cross(attack):
        method, path = what.split(" ")
        with transaction.atomic():
            answer = getattr(client, method.lower())(path, json.dumps(body), content_type="application/json")
            assert belongings(attack.other.project) == before, what
            transaction.set_rollback(True)
        answers[f"{what} {body}"] = answer.status_code
    assert {what: status for what, status in answers.items() if not 400 <= status < 500} == {}


@pytest.mark.parametrize("route", LISTS)
def test_a_filter_nobody_offers_filters_nothing_and_an_unknown_order_is_refused(
    attack: Attack, route: str
) -> None:
    client, path = attack.clients["engineer"], attack.own.address(route)
    plain = client.get(path).json()
    for key, value in OPERATORS.items():
        assert client.get(path, {key: value}).json() == plain, key
    for order in ORDERS:
        answer = client.get(path, {"order": order})
        assert answer.status_code == 422 if route.endswith("images") else answer.json() == plain, order
    assert client.get(path, {"limit": "1e9"}).status_code == 422
    assert client.get(path, {"limit": "1001"}).status_code == 422
    for field_of in ("project", "import"):
        answer = client.get(path, {field_of: attack.other.ids[field_of + "s"]})
        assert answer.status_code in (404, 422) or answer.json()["items"] == [] or answer.json() == plain, (
            field_of
        )


def test_every_order_that_is_offered_orders_and_its_pages_meet(attack: Attack) -> None:
    client, path = attack.clients["viewer"], attack.own.address("api/v1/datasets/<int:pk>/images")
    for order in GOOD_ORDERS:
        more = {"confidence": {"state": "suggested"}, "margin": {"state": "suggested"}}.get(
            order.lstrip("-"), {}
        )
        more = {"like": attack.own.ids["images"]} if order == "similar" else more
        seen: list[int] = []
        answer = client.get(path, {"order": order, "limit": 7, **more})
        while answer.status_code == 200 and answer.json()["next"]:
            seen += [each["id"] for each in answer.json()["items"]]
            answer = client.get(path, {"order": order, "limit": 7, "cursor": answer.json()["next"], **more})
        assert answer.status_code == 200, order
        seen += [each["id"] for each in answer.json()["items"]]
        assert len(seen) == len(set(seen)), order
        assert more or len(seen) == 18, order


def test_another_projects_kept_answer_is_not_given_for_its_key(attack: Attack) -> None:
    owner = Client()
    owner.force_login(attack.other.owner)
    sent: dict[str, Any] = {"content_type": "application/json", "headers": {"Idempotency-Key": "the-same"}}
    theirs = owner.post("/api/v1/projects", {"name": "mkkeptq7"}, **sent)
    mine = attack.clients["engineer"].post("/api/v1/projects", {"name": "Mine"}, **sent)
    assert (theirs.status_code, mine.status_code) == (201, 201)
    assert mine.json()["id"] != theirs.json()["id"]
    assert "mkkeptq7" not in mine.content.decode()


def test_the_addresses_cover_every_noun_of_the_table() -> None:
    covered = {noun for row in WITH_OBJECTS for noun in nouns(row.route)}
    assert {
        "datasets",
        "images",
        "labels",
        "imports",
        "uploads",
        "jobs",
        "models",
        "services",
        "exports",
    } <= covered


@pytest.mark.parametrize("order", ["bytes", "-width", "file"])
@pytest.mark.parametrize("position", [["zz", "zz"], [1.5, "a"], [2**70, 1], [1e400, 1], [1]])
def test_a_made_up_cursor_is_refused_or_ends_the_list(
    attack: Attack, order: str, position: list[Any]
) -> None:
    for path in (
        attack.own.address("api/v1/datasets/<int:pk>/images"),
        attack.own.address("datasets/<int:pk>/images/"),
    ):
        answer = attack.clients["viewer"].get(path, {"order": order, "cursor": encode(position)})
        assert answer.status_code in (200, 400, 422), path
        assert not [mark for mark in attack.markers if mark in told(answer)]


@pytest.mark.parametrize("number", ["9" * 40, "9" * 5000])
def test_an_import_number_beyond_all_numbers_is_refused(attack: Attack, number: str) -> None:
    body = {"filter": f"import={number}", "label": "red"}
    path = attack.own.address("datasets/<int:pk>/tag/")
    assert (
        attack.clients["owner"].post(path, json.dumps(body), content_type="application/json").status_code
        == 422
    )


def test_a_filter_by_a_label_that_is_not_there_changes_nothing(attack: Attack) -> None:
    body = {"filter": {"label": str(attack.other.ids["labels"])}, "label": "red"}
    path = attack.own.address("api/v1/datasets/<int:pk>/tag")
    answer = attack.clients["owner"].post(path, json.dumps(body), content_type="application/json")
    assert (answer.status_code, answer.json()["changed"]) == (200, 0)
