"""The main job from a zip to a prediction, through the JSON API alone, told step by step."""

import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import urllib3

from config import drawing

Files = list[tuple[str, bytes]]
EACH, LOOSE, TRIED = 60, 12, 3
IMPORT_SECONDS, TRAIN_SECONDS, WARM_SECONDS = 120, 600, 60
OVER = {"ready", "succeeded", "online"}
GONE = {"failed", "cancelled", "undone", "stopped", "rejected"}


class StepFailed(Exception):
    """A step of the demo did not do what it promises."""


class Api:
    """A program's view of Taxon: JSON in, JSON out, errors with the server's own words."""

    def __init__(self, url: str, token: str) -> None:
        self.root, self.http = (
            f"{url}/api/v1",
            urllib3.PoolManager(headers={"Authorization": f"Bearer {token}"}),
        )

    def get(self, path: str) -> Any:
        """GET as JSON."""
        return self._answer(self.http.request("GET", self.root + path))

    def post(self, path: str, body: Any = None) -> Any:
        """POST a JSON body."""
        return self._answer(self.http.request("POST", self.root + path, json=body or {}))

    def send(self, path: str, field: str, files: Files) -> Any:
        """POST files as a form would."""
        fields = [(field, (name, content)) for name, content in files]
        return self._answer(self.http.request("POST", self.root + path, fields=fields))

    def wait(self, path: str, seconds: float) -> Any:
        """Look until the thing has come to its end; a bad end fails the step."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found = self.get(path)
            if found["state"] in OVER:
                return found
            if found["state"] in GONE:
                raise StepFailed(f"{path} ended as {found['state']}: {found.get('message', '')}")
            time.sleep(0.5)
        raise StepFailed(f"{path} was not done within {seconds:.0f} s")

    def _answer(self, response: urllib3.BaseHTTPResponse) -> Any:
        body = json.loads(response.data)
        if response.status >= 400:
            raise StepFailed(f"{response.status}: {body.get('detail', body)}")
        return body


class Story:
    """The job's steps in their order; each prints what it did and how long it took."""

    def __init__(self, api: Api, say: Callable[[str], None], seed: int = 7) -> None:
        self.api, self.say, self.chance = api, say, random.Random(seed)  # noqa: S311  (pictures, not secrets)
        self.shapes = list(drawing.SHAPES)

    @contextmanager
    def step(self, title: str) -> Iterator[dict[str, Any]]:
        """Print the step with what it notes and its time."""
        notes: dict[str, Any] = {}
        began = time.monotonic()
        yield notes
        told = ", ".join(f"{name} {value}" for name, value in notes.items())
        self.say(f"  {title:<10} {told} ({time.monotonic() - began:.1f} s)")

    def tell(self) -> Any:
        """All of it; returns the published endpoint's answer to one new picture."""
        dataset = self.collect()
        self.tag(dataset)
        model, number = self.train(dataset)
        self.report(model, number)
        self.validate(model, number)
        return self.publish(model, number)

    def collect(self) -> int:
        """A data set from a zip of labelled folders and some loose pictures."""
        with self.step("Import") as notes:
            name = self.free_name("/datasets", "Shapes")
            dataset = int(self.api.post("/datasets", {"name": name})["id"])
            self.take_in(
                dataset, "archive", [("shapes.zip", drawing.archive(self.shapes, EACH, self.chance))], notes
            )
            loose = [(f"loose-{n}.jpg", self.draw(self.shapes[n % len(self.shapes)])) for n in range(LOOSE)]
            self.take_in(dataset, "images", loose, notes)
        return dataset

    def take_in(self, dataset: int, field: str, files: Files, notes: dict[str, Any]) -> None:
        """One import, waited for; its sum must hold."""
        path = f"/datasets/{dataset}/imports"
        done = self.api.wait(f"{path}/{self.api.send(path, field, files)['id']}", IMPORT_SECONDS)
        if done["total"] != done["imported"] + done["duplicates"] + done["rejected"]:
            raise StepFailed(f"the import's sum does not hold: {done}")
        notes["pictures"] = notes.get("pictures", 0) + done["imported"]

    def tag(self, dataset: int) -> None:
        """Tag the loose pictures in bulk, one act a label."""
        with self.step("Tag") as notes:
            untagged = self.api.get(f"/datasets/{dataset}/images?state=unlabelled")["items"]
            for place, shape in enumerate(self.shapes):
                chosen = [
                    item["id"]
                    for item in untagged
                    if int(item["file"].split("-")[1].split(".")[0]) % len(self.shapes) == place
                ]
                changed = self.api.post(f"/datasets/{dataset}/tag", {"images": chosen, "label": shape})[
                    "changed"
                ]
                notes[shape] = changed

    def train(self, dataset: int) -> tuple[int, int]:
        """One version within its time limit."""
        with self.step("Train") as notes:
            model = int(self.api.post("/models", {"name": self.free_name("/models", "Shapes")})["id"])
            asked = {
                "applications": ["cloud-general"],
                "optimise_for": "top1",
                "data": [{"dataset": dataset, "labels": "all"}],
                "max_minutes": 5,
            }
            number = int(self.api.post(f"/models/{model}/versions", asked)[0]["number"])
            done = self.api.wait(f"/models/{model}/versions/{number}", TRAIN_SECONDS)
            notes["version"], notes["ended because"] = number, done["ended_because"]
        return model, number

    def report(self, model: int, number: int) -> None:
        """What the held-back pictures say."""
        with self.step("Report") as notes:
            overall = self.api.get(f"/models/{model}/versions/{number}/report")["overall"]
            accuracy = overall["accuracy"]
            notes["accuracy"] = f"{accuracy['value']:.3f} [{accuracy['low']:.3f}–{accuracy['high']:.3f}]"
            notes["on"] = f"{overall['n']} held-back pictures"

    def validate(self, model: int, number: int) -> None:
        """A few new pictures tried on the version."""
        with self.step("Validate") as notes:
            files = [(f"{shape}.jpg", self.draw(shape)) for shape in self.shapes[:TRIED]]
            answers = self.api.send(f"/models/{model}/versions/{number}/validate", "images", files)
            for shape, answer in zip(self.shapes, answers, strict=True):
                notes[shape] = f"→ {answer['predicted_label']}"

    def publish(self, model: int, number: int) -> Any:
        """A service online, asked for one picture."""
        with self.step("Publish") as notes:
            slug = self.free_name("/services", "shapes", key="slug")
            self.api.post("/services", {"name": "Shapes", "slug": slug, "model": model, "version": number})
            self.api.post(f"/services/{slug}/approve")
            notes["address"] = self.api.wait(f"/services/{slug}", WARM_SECONDS)["url"]
        return self.api.send(f"/services/{slug}/predict", "images", [("star.jpg", self.draw("star"))])

    def draw(self, shape: str) -> bytes:
        """One more picture."""
        return drawing.draw(shape, self.chance)

    def free_name(self, path: str, name: str, key: str = "name") -> str:
        """A name that is not taken: the demo can be told again on the same data."""
        taken = {item[key] for item in self.api.get(f"{path}?limit=1000")["items"]}
        return next(
            each for n in range(1, len(taken) + 2) if (each := name if n == 1 else f"{name}-{n}") not in taken
        )
