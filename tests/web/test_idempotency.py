"""Idempotency-Key: a repeat gets the first answer, and only who may still ask gets it."""

import time
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from projects.models import AccessToken
from serving.models import Service
from tests.factories import Team
from tests.serving.makers import make_service
from web import idempotency
from web.idempotency import ANSWER_WITHIN, KEPT_FOR
from web.models import IdempotentAnswer

KEY = {"Idempotency-Key": "k1"}


def post(client: Client, body: dict[str, str], path: str = "/api/v1/datasets"):  # type: ignore[no-untyped-def]
    return client.post(path, body, content_type="application/json", headers=KEY)


def test_a_repeat_makes_one_thing_and_says_so(team: Team) -> None:
    program = team.program("engineer")
    first, second = post(program, {"name": "Dogs"}), post(program, {"name": "Dogs"})
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json() and second["Idempotent-Replayed"] == "true"


def test_another_body_under_the_same_key_is_refused(team: Team) -> None:
    program = team.program("engineer")
    post(program, {"name": "Dogs"})
    answer = post(program, {"name": "Cats"})
    assert (answer.status_code, answer.json()["code"]) == (422, "key-reused")


def test_a_refused_request_may_be_mended_under_the_same_key(team: Team) -> None:
    program = team.program("engineer")
    assert post(program, {}).status_code == 422
    assert post(program, {"name": "Dogs"}).status_code == 201


def test_a_revoked_token_gets_no_kept_answer(team: Team) -> None:
    program = team.program("engineer")
    post(program, {"name": "Dogs"})
    AccessToken.objects.get().revoke()
    assert post(program, {"name": "Dogs"}).status_code == 401


def test_an_answer_with_a_secret_is_not_kept(team: Team) -> None:
    service: Service = make_service(team)
    program, path = team.program("owner"), f"/api/v1/services/{service.slug}/tokens"
    secret = post(program, {"name": "camera"}, path).json()["token"]
    again = post(program, {"name": "camera"}, path)
    assert (again.status_code, again.json()["code"]) == (409, "answered-once")
    assert secret.encode() not in bytes(IdempotentAnswer.objects.get().body)
    assert AccessToken.objects.filter(name="camera").count() == 1


def test_a_key_is_free_again_after_a_day_and_not_before(team: Team) -> None:
    program = team.program("engineer")
    post(program, {"name": "Dogs"})
    kept = IdempotentAnswer.objects.filter(key=KEY["Idempotency-Key"])
    kept.update(created_at=timezone.now() - KEPT_FOR + timedelta(minutes=1))
    assert post(program, {"name": "Cats"}).status_code == 422
    kept.update(created_at=timezone.now() - KEPT_FOR - timedelta(minutes=1))
    assert post(program, {"name": "Cats"}).status_code == 201


def test_a_key_whose_request_died_without_an_answer_is_free_again_after_a_while(team: Team) -> None:
    program = team.program("engineer")
    post(program, {"name": "Dogs"})
    kept = IdempotentAnswer.objects.filter(key=KEY["Idempotency-Key"])
    kept.update(status=None)
    assert post(program, {"name": "Cats"}).json()["code"] == "in-progress"
    kept.update(created_at=timezone.now() - ANSWER_WITHIN)
    assert post(program, {"name": "Cats"}).status_code == 201
    assert kept.get().status == 201


def test_what_is_older_than_a_day_is_thrown_away_now_and_then(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = team.program("engineer")
    post(program, {"name": "Dogs"})
    IdempotentAnswer.objects.update(created_at=timezone.now() - 2 * KEPT_FOR, key="another")
    monkeypatch.setattr(idempotency, "_looked", time.monotonic() - idempotency.LOOK_EVERY - 1)
    post(program, {"name": "Cats"})
    assert list(IdempotentAnswer.objects.values_list("key", flat=True)) == [KEY["Idempotency-Key"]]
