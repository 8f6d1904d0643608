"""How much Taxon adds to the bare work, as ratios within one run: `make bench`.

Both sides of a ratio take turns, a round each, and the median of the rounds' ratios is printed, so that a
noisy machine slows both alike. Nothing is asserted about time.
"""

import io
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pytest
import requests

from datasets import pixels
from serving.runtime import Predictor
from tests.main_job.test_by_api import Program
from tests.product import Product
from web.storage import content_key

ROUNDS, PICTURES = 7, 40


@pytest.fixture(scope="module")
def flowers(product: Product) -> list[bytes]:
    """The small everyday set."""
    import os

    folder = Path(os.environ.get("TAXON_TEST_DATA", "")) / "flowers5"
    if not folder.is_dir():
        pytest.skip("real photographs are missing: set TAXON_TEST_DATA")
    return [path.read_bytes() for path in sorted(folder.rglob("*.jpg"))]


def seconds(act: Callable[[], object]) -> float:
    """How long it takes once."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def told(name: str, ratios: list[float], detail: str) -> None:
    """One line of the result."""
    print(
        f"\n{name}: {median(ratios):.2f} × (of {len(ratios)} rounds {min(ratios):.2f} to {max(ratios):.2f}); {detail}"
    )


def archive_of(pictures: list[bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for number, content in enumerate(pictures):
            file.writestr(f"label{number % 5}/{number}.jpg", content)
    return out.getvalue()


def test_an_import_against_decoding_alone(product: Product, flowers: list[bytes]) -> None:
    program, archive, ratios, rates = Program(product), archive_of(flowers), [], []
    for number in range(3):
        dataset = program.post("/datasets", 201, json={"name": f"bench {number} {time.time()}"})["id"]
        path = f"/datasets/{dataset}/imports"

        def import_all(path: str = path) -> None:
            sent = program.post(path, 202, files={"archive": ("a.zip", archive)})
            assert program.wait(f"{path}/{sent['id']}")["imported"] == len(flowers)

        bare = seconds(lambda: [pixels.decode(content) for content in flowers])
        whole = seconds(import_all)
        ratios.append(whole / bare)
        rates.append(len(flowers) / whole)
    told(
        "Import, upload to ready / decoding each picture once",
        ratios,
        f"{median(rates):.0f} pictures a second",
    )


def test_a_prediction_over_http_against_the_bare_model(product: Product, flowers: list[bytes]) -> None:
    program = Program(product)
    dataset = program.post("/datasets", 201, json={"name": f"predict {time.time()}"})["id"]
    sent = program.post(
        f"/datasets/{dataset}/imports", 202, files={"archive": ("a.zip", archive_of(flowers[::4]))}
    )
    program.wait(f"/datasets/{dataset}/imports/{sent['id']}")
    model = program.post("/models", 201, json={"name": f"bench {time.time()}"})["id"]
    data = {
        "applications": ["cloud-general"],
        "data": [{"dataset": dataset, "labels": "all"}],
        "max_minutes": 5,
    }
    program.post(f"/models/{model}/versions", 202, json=data)
    trained = program.wait(f"/models/{model}/versions/1", 400)
    slug = f"bench-{model}"
    program.post("/services", 201, json={"name": "bench", "slug": slug, "model": model, "version": 1})
    program.session.post(f"{program.root}/services/{slug}/approve", timeout=60)
    url = program.wait(f"/services/{slug}")["url"]
    file = product.data / "files" / content_key("models", trained["file_sha256"], ".onnx")
    bare, asked = Predictor.load(file, threads=1), flowers[:PICTURES]

    def over_http() -> None:
        for content in asked:
            answer: requests.Response = program.session.post(
                url, files={"images": ("a.jpg", content)}, timeout=30
            )
            assert answer.status_code == 200

    over_http()
    bare.predict(asked)
    pairs = [(seconds(over_http), seconds(lambda: bare.predict(asked))) for _ in range(ROUNDS)]
    rate = PICTURES / median(pair[0] for pair in pairs)
    told(
        "A prediction over HTTP / the same model in a loop",
        [a / b for a, b in pairs],
        f"{rate:.0f} a second, one caller",
    )
