"""The main job through the JSON API alone: from a zip of photographs to an answer of the published endpoint."""

import io
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.product import USER, Product

CHINESE_ZIP = "动物与交通工具.zip"
OVER = {"ready", "succeeded", "online", "failed", "cancelled", "stopped", "rejected"}


class Program:
    """A program with a token."""

    def __init__(self, product: Product) -> None:
        self.root = f"{product.url}/api/v1"
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {product.manage('token', USER)}"

    def post(self, path: str, expect: int, **body: Any) -> Any:
        answer = self.session.post(self.root + path, timeout=60, **body)
        assert answer.status_code == expect, answer.text
        return answer.json()

    def get(self, path: str) -> Any:
        answer = self.session.get(self.root + path, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def wait(self, path: str, seconds: int = 300) -> Any:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found = self.get(path)
            if found["state"] in OVER:
                return found
            time.sleep(0.5)
        raise AssertionError(f"{path} is still {found}")


@pytest.mark.slow
def test_a_zip_of_photographs_becomes_a_service(
    product: Product, shared_data: Path, weights_dir: Path
) -> None:
    program = Program(product)
    loose, labelled = some_left_out(shared_data / CHINESE_ZIP, out_of="狗", count=10)

    dataset = program.post("/datasets", 201, json={"name": "动物"})["id"]
    imports = f"/datasets/{dataset}/imports"
    first = program.post(imports, 202, files={"archive": ("动物.zip", labelled)})
    done = program.wait(f"{imports}/{first['id']}")
    # Four aeroplanes are longer than three times their height: refused with that reason, as the design says.
    assert (done["state"], done["total"], done["imported"], done["rejected"]) == ("ready", 390, 386, 4)
    refused = program.get(f"{imports}/{first['id']}/rejections")["items"]
    assert {each["code"] for each in refused} == {"too-long"} and all(each["reason"] for each in refused)
    second = program.post(imports, 202, files=[("images", each) for each in loose])
    assert program.wait(f"{imports}/{second['id']}")["imported"] == 10

    untagged = program.get(f"/datasets/{dataset}/images?state=unlabelled")["items"]
    assert len(untagged) == 10
    chosen = [image["id"] for image in untagged]
    assert (
        program.post(f"/datasets/{dataset}/tag", 200, json={"images": chosen, "label": "狗"})["changed"] == 10
    )
    counts = {label["name"]: label["images"] for label in program.get(f"/datasets/{dataset}/labels")["items"]}
    assert counts == dict.fromkeys(["狗", "猫", "直升机", "飞机", "摩托车"], 80) | {"飞机": 76}

    model = program.post("/models", 201, json={"name": "动物与交通工具"})["id"]
    asked = {
        "applications": ["cloud-general"],
        "optimise_for": "top1",
        "data": [{"dataset": dataset, "labels": "all"}],
        "max_minutes": 5,
        "options": {"fine_tuning": "off"},  # the first model is the main job; tests/training tries the second
    }
    [version] = program.post(f"/models/{model}/versions", 202, json=asked)
    assert version["number"] == 1
    trained = program.wait(f"/models/{model}/versions/1", 330)
    assert (trained["state"], trained["usable"]) == ("succeeded", True), trained

    report = program.get(f"/models/{model}/versions/1/report")
    accuracy, n = report["overall"]["accuracy"], report["overall"]["n"]
    print(f"accuracy {accuracy['value']:.3f} [{accuracy['low']:.3f}, {accuracy['high']:.3f}] on {n} pictures")
    # A frozen MobileNetV2 reaches 97 % here; well below means that something is wrong with channels or labels.
    assert accuracy["value"] > 0.9 and accuracy["low"] < accuracy["value"] <= accuracy["high"] <= 1
    assert sum(map(sum, report["confusion_matrix"]["counts"])) == n

    tried = program.post(
        f"/models/{model}/versions/1/validate", 200, files=[("images", each) for each in loose[:3]]
    )
    assert [answer["file"] for answer in tried] == [name for name, _ in loose[:3]]

    program.post("/services", 201, json={"name": "动物", "slug": "animals-api", "model": model, "version": 1})
    program.post("/services/animals-api/approve", 202)
    service = program.wait("/services/animals-api")
    assert service["state"] == "online"

    answer = program.session.post(service["url"], files={"images": loose[0]}, timeout=60)
    assert answer.headers["X-Taxon-Version"] == "1" and answer.headers["X-Prediction-Id"]
    body = answer.json()
    assert list(body) == ["predicted_label", "scores"] and body["predicted_label"] == "狗"
    assert len(body["scores"]) == 5 and body["scores"][0][0] == "狗"
    assert all(isinstance(share, str) and len(share) == 5 for _, share in body["scores"])
    assert "狗" in answer.content.decode()


def some_left_out(archive: Path, *, out_of: str, count: int) -> tuple[list[tuple[str, bytes]], bytes]:
    """Take the first pictures of one label out of the zip: (loose files, the rest as a zip)."""
    loose, rest = [], io.BytesIO()
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(rest, "w") as target:
        for name in source.namelist():
            folder, _, file = name.rpartition("/")
            if folder.rpartition("/")[2] == out_of and file and len(loose) < count:
                loose.append((f"loose-{file}", source.read(name)))
            elif file:
                target.writestr(name, source.read(name))
    return loose, rest.getvalue()
