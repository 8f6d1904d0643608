"""`manage.py tagging_clerk`: a program that tags over the API, in a child process that dies at a chosen line."""

import os
from typing import Any

from django.db import connection
from django.test import Client

from datasets.models import Dataset
from projects.tokens import make_token
from tests.datasets.makers import make_images
from tests.faults.fixture_app.management.commands import house_clerk
from tests.faults.fixture_app.management.commands.publisher import live_and_die

# Every line of these that a request runs is a step at which it is killed.
STEPS = (
    "web/idempotency.py",
    "datasets/api/tagging.py",
    "datasets/tagging.py",
    "datasets/live.py",
    "django/db/transaction.py",  # before the commit and behind it
)


class Command(house_clerk.Command):
    """Four pictures that become cats, dogs, cats…"""

    def open_bench(self) -> int:
        """The pictures, their labels and a token: how many pictures."""
        self.prepare()
        engineer = self.team.people["engineer"]
        self.dataset = Dataset.objects.create(project=self.team.project, name="Pets", created_by=engineer)
        for name in ("cat", "dog"):
            self.dataset.labels.create(name=name)
        _, self.secret = make_token(project=self.team.project, user=engineer, name="robot")
        return len(make_images(self.dataset, 4))

    def send(self, key: str, label: str) -> Any:
        """One request: all pictures get this label."""
        client = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {self.secret}"})
        return client.post(
            f"/api/v1/datasets/{self.dataset.pk}/tag",
            {"filter": {}, "label": label},
            content_type="application/json",
            headers={"Idempotency-Key": key, "Host": "127.0.0.1"},
        )

    def tagged_twice(self, key: str, label: str, line: int) -> dict[str, Any]:
        """In a child that is killed at its n-th line, then again with the same key: what came of both."""
        before = self.dataset.actions.count()
        connection.close()
        child = os.fork()
        if not child:
            live_and_die(lambda: self.send(key, label), line, STEPS)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        done_by_child = self.dataset.actions.count() - before
        answer = self.send(key, label)
        acts = list(self.dataset.actions.order_by("pk").values_list("pk", flat=True))[before:]
        return {
            "status": status,
            "done": done_by_child,
            "answer": answer.status_code,
            "replayed": "Idempotent-Replayed" in answer,
            "told": answer.json(),
            "acts": acts,
            "labels": list(self.dataset.images.values_list("label__name", flat=True)),
        }
