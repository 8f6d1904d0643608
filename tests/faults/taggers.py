"""Many people who tag one data set at once, against the real web server; and the judge of what is left."""

import http.client
import json
import os
import random
import secrets
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.embedded import redis_binary
from tests.faults.plant import ROOT, eventually, short_folder
from tests.product import free_port

LABELS = ("cat", "dog", "bird")
TOKEN = "a" * 32
SCRIPT = """
import json, sys
sys.path[:0] = ["platform"]
import django
django.setup()
from importlib import import_module
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, transaction
from datasets.models import Dataset, Image, TagAction
from projects.creation import create_project
from projects.models import Membership, Role
"""
SEED = (
    SCRIPT
    + """
people, images, labels = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3].split(",")
store = import_module(settings.SESSION_ENGINE).SessionStore
with transaction.atomic():
    owner = User.objects.create_user("boss", password="secret-word-1")
    project = create_project(user=owner, name="Many")
    dataset = Dataset.objects.create(project=project, name="Shared", created_by=owner)
    for position, name in enumerate(labels):
        dataset.labels.create(name=name, position=position)
    same = {"key": "k", "thumbnail_key": "t", "format": "JPEG", "bytes": 1, "width": 64, "height": 64}
    Image.objects.bulk_create(
        (Image(dataset=dataset, name=f"{n}.jpg", sha256=f"{n:064d}", **same) for n in range(images)), batch_size=1000
    )
    sessions = []
    for number in range(people):
        user = User.objects.create_user(f"tagger{number}")
        Membership.objects.create(project=project, user=user, role=Role.ENGINEER)
        session = store()
        session["_auth_user_id"] = str(user.pk)
        session["_auth_user_backend"] = settings.AUTHENTICATION_BACKENDS[0]
        session["_auth_user_hash"] = user.get_session_auth_hash()
        session.save()
        sessions.append(session.session_key)
if connection.vendor == "postgresql":  # as the server does by itself within a minute of an import
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
ids = list(dataset.images.order_by("pk").values_list("pk", flat=True))
print(json.dumps({"dataset": dataset.pk, "images": ids, "sessions": sessions, "cookie": settings.SESSION_COOKIE_NAME}))
"""
)
READ = (
    SCRIPT
    + """
dataset = Dataset.objects.get(pk=int(sys.argv[1]))
acts = [
    {"id": each.pk, "kind": each.kind, "label": each.label_name, "changed": each.changed, "undone": each.undone,
     "who": each.created_by.username, "images": list(each.changes.order_by("image").values_list("image", flat=True))}
    for each in dataset.actions.select_related("created_by").order_by("pk")
]
state = dict(dataset.images.values_list("pk", "label__name"))
last = dict(dataset.images.values_list("pk", "last_action"))
print(json.dumps({"acts": acts, "state": state, "last": last}))
"""
)


@dataclass
class Acknowledged:
    """One act that the server said it did."""

    action: int
    changed: int
    images: list[int]
    label: str | None
    seconds: float
    tries: int = 1


@dataclass
class Site:
    """A web server, its data set, and the sessions of those who tag it."""

    port: int
    environment: dict[str, str]
    folder: Path
    dataset: int = 0
    images: list[int] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)
    cookie: str = ""

    def python(self, script: str, *args: object) -> Any:
        """What a script prints, as JSON."""
        command = [sys.executable, "-c", script, *map(str, args)]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.splitlines()[-1])

    def seed(self, *, people: int, images: int) -> None:
        """Everything that the taggers need."""
        for name, value in self.python(SEED, people, images, ",".join(LABELS)).items():
            setattr(self, name, value)

    def read(self) -> Any:
        """All acts, and how each picture is now."""
        return self.python(READ, self.dataset)


class Tagger:
    """One person's browser: a connection that is kept, a session, a key for each act."""

    def __init__(self, site: Site, number: int, port: int = 0) -> None:
        self.site, self.session, self.port = site, site.sessions[number], port or site.port
        self.dice = random.Random(number)
        self.connection = self.connect()
        self.acknowledged: list[Acknowledged] = []
        self.wrong: list[str] = []

    def connect(self) -> http.client.HTTPConnection:
        """To the server, or to what stands before it."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)

    def post(self, verb: str, body: Any, key: str) -> tuple[int, Any]:
        """Status and JSON; raises where the answer was lost."""
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Cookie": f"{self.site.cookie}={self.session}; csrftoken={TOKEN}",
            "X-CSRFToken": TOKEN,
            "Idempotency-Key": key,
        }
        try:
            path = f"/datasets/{self.site.dataset}/{verb}/"
            self.connection.request("POST", path, json.dumps(body), headers)
            answer = self.connection.getresponse()
            content = answer.read()
            return answer.status, json.loads(content) if content.startswith(b"{") else content.decode()[:300]
        except (OSError, http.client.HTTPException):
            self.connection.close()
            self.connection = self.connect()
            raise

    def act(self, verb: str, body: Any) -> tuple[Any, int]:
        """Until it is answered, with one key; the answer and how many tries it took."""
        key = secrets.token_hex(16)
        for tries in range(1, 200):
            with suppress(OSError, http.client.HTTPException):
                status, answer = self.post(verb, body, key)
                if status == 200:
                    return answer, tries
                self.wrong.append(f"{status} {answer}")
                if status < 500 and status not in (409, 429):
                    return None, tries
            time.sleep(0.02)
        raise AssertionError("never answered")

    def tag(self, images: Sequence[int], label: str | None) -> None:
        """One act, remembered."""
        began = time.monotonic()
        answer, tries = self.act("tag", {"images": list(images), "label": label})
        if answer:
            took = time.monotonic() - began
            self.acknowledged.append(
                Acknowledged(answer["action"], answer["changed"], list(images), label, took, tries)
            )

    def work(self, count: int, *, most: int = 8, pause: float = 0.0) -> None:
        """So many random acts on pictures that all others tag too."""
        for _ in range(count):
            chosen = self.dice.sample(self.site.images, self.dice.randint(1, most))
            self.tag(chosen, self.dice.choice([*LABELS, *LABELS, None]))
            time.sleep(self.dice.random() * 2 * pause)


def all_at_once(taggers: Sequence[Tagger], count: int, **how: Any) -> float:
    """Everybody works at the same time; how many seconds it took."""
    began = time.monotonic()
    threads = [threading.Thread(target=tagger.work, args=(count,), kwargs=how) for tagger in taggers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for tagger in taggers:
        tagger.connection.close()
    return time.monotonic() - began


def judge(site: Site, acknowledged: Sequence[Acknowledged]) -> None:
    """Each act that was acknowledged is there once, and the pictures are as all acts, one after another, leave them."""
    found = site.read()
    told = {each.action: each for each in acknowledged}
    assert len(told) == len(acknowledged), "one act was acknowledged as two"
    assert [act["id"] for act in found["acts"]] == sorted(told), "acts lost, or acts nobody was told of"
    state: dict[int, str | None] = dict.fromkeys(site.images)
    last: dict[int, int | None] = dict.fromkeys(site.images)
    for act in found["acts"]:
        mine = told[act["id"]]
        changed = sorted(image for image in set(mine.images) if state[image] != mine.label)
        assert (act["changed"], act["images"]) == (len(changed), changed), f"not one after another: {act}"
        assert act["changed"] == mine.changed
        for image in changed:
            state[image], last[image] = mine.label, act["id"]
    assert {int(pk): label for pk, label in found["state"].items()} == state
    assert {int(pk): action for pk, action in found["last"].items()} == last


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of them does not exceed."""
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]


@contextmanager
def site(prepared: Path, database_url: str = "", **more: str) -> Iterator[Site]:
    """The web server as the product runs it, with Redis, on a copy of this data folder (and this database)."""
    unwanted = ("DATABASE_URL", "TAXON_STORAGE", "EMAIL_URL", "DJANGO_SETTINGS_MODULE", "REDIS_URL")
    kept = {name: value for name, value in os.environ.items() if name not in unwanted}
    with short_folder() as folder, ExitStack() as running:
        port = free_port()
        shutil.copytree(prepared, folder, dirs_exist_ok=True)
        environment = kept | {
            "TAXON_DATA_DIR": str(folder),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "SECRET_KEY": "only-for-fault-tests-0123456789-abcdefghijklmnopqrs",
            "REDIS_URL": f"unix://{folder}/redis.sock",
            "OMP_NUM_THREADS": "1",
            **({"DATABASE_URL": database_url} if database_url else {}),
            **more,
        }
        redis = [str(redis_binary()), "--port", "0", "--unixsocket", f"{folder}/redis.sock", "--save", ""]
        running.enter_context(process([*redis, "--dir", str(folder)], environment, folder / "redis.log"))
        web = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "--bind", f"127.0.0.1:{port}"]
        running.enter_context(process(web, environment, folder / "web.log"))
        assert eventually(lambda: answers(port)), (folder / "web.log").read_text()[-3000:]
        made = Site(port, environment, folder)
        yield made
        log = (folder / "web.log").read_text()
        assert "Traceback" not in log, log[-3000:]


def answers(port: int) -> bool:
    """The server lives."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


@contextmanager
def process(command: list[str], environment: dict[str, str], log: Path) -> Iterator[None]:
    """Runs meanwhile."""
    with log.open("ab") as out:
        started = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)
    try:
        yield
    finally:
        started.terminate()
        try:
            started.wait(20)
        except subprocess.TimeoutExpired:
            started.kill()
