"""The running product as the benchmarks of training use it: pictures in, a training, and what its worker took."""

import io
import itertools
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
from PIL import Image as Pillow
from PIL import ImageOps

from tests.main_job.test_by_api import Program
from tests.product import Product

FORGET = (
    "from datasets.models import Feature, FeatureShard; Feature.objects.all().delete();"
    "FeatureShard.objects.all().delete()"
)
BUSY = "from jobs.models import ENDED, Job; print(Job.objects.exclude(state__in=ENDED).exclude(state='parked').count())"


@dataclass(frozen=True)
class Took:
    """Seconds by the clock and of the processor."""

    clock: float
    processor: float

    def over(self, other: "Took") -> str:
        """As ratios of another."""
        clock, processor = self.clock / other.clock, self.processor / other.processor
        return f"{clock:.2f} × by the clock, {processor:.2f} × of the processor"

    def __str__(self) -> str:
        return f"{self.clock:.1f} s ({self.processor:.1f} s of the processor)"


def photographs(folder: Path, count: int) -> dict[str, bytes]:
    """flowers5 by name in its five labels; beyond its 500 pictures their mirror images, larger and smaller."""
    found = sorted((folder / "flowers5").rglob("*.jpg"), key=lambda path: (path.name, path.parent.name))
    by_label = [
        [path for path in found if path.parent.name == name]
        for name in sorted({p.parent.name for p in found})
    ]
    mixed = [path for row in zip(*by_label, strict=True) for path in row]
    made = {}
    for number, path in enumerate(itertools.islice(itertools.cycle(mixed), count)):
        made[f"{path.parent.name}/{number}.jpg"] = varied(path.read_bytes(), number // len(mixed))
    return made


def varied(content: bytes, turn: int) -> bytes:
    """The picture itself, then its mirror image, then both smaller and smaller."""
    if not turn:
        return content
    out = io.BytesIO()
    with Pillow.open(io.BytesIO(content)) as picture:
        seen = ImageOps.mirror(picture) if turn % 2 else picture.copy()
        seen.thumbnail([max(64, side - 40 * (turn // 2)) for side in seen.size])
        seen.save(out, "JPEG", quality=90)
    return out.getvalue()


class Owner(Program):
    """A program with a token that waits until everything is done."""

    def __init__(self, product: Product) -> None:
        super().__init__(product)
        self.product = product

    def bring(self, pictures: dict[str, bytes], *, forget: bool = True) -> int:
        """A data set of these, its embeddings forgotten again."""
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as file:
            for name, content in pictures.items():
                file.writestr(name, content)
        dataset = self.post("/datasets", 201, json={"name": f"Bench {time.time()}"})["id"]
        sent = self.post(f"/datasets/{dataset}/imports", 202, files={"archive": ("a.zip", out.getvalue())})
        done = self.wait(f"/datasets/{dataset}/imports/{sent['id']}", 900)
        assert done["state"] == "ready", done
        self.rest()
        if forget:
            self.product.manage("shell", "-c", FORGET)
        return int(dataset)

    def all(self, path: str) -> list[dict[str, Any]]:
        """Every item of a list."""
        found: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            page = self.get(f"{path}?limit=1000" + (f"&cursor={cursor}" if cursor else ""))
            found, cursor = found + page["items"], page["next"]
        return found

    def rest(self) -> None:
        """Wait until no job waits or runs."""
        for _ in range(200):
            if self.product.manage("shell", "-v", "0", "-c", BUSY) == "0":
                return
            time.sleep(1)
        raise AssertionError("the workers are still busy")

    def train(self, dataset: int, **options: Any) -> tuple[Took, dict[str, Any], str]:
        """From the request until the version is done, as a program sees it; the version, and its path."""
        model = self.post("/models", 201, json={"name": f"Bench {time.time()}"})["id"]
        asked = {
            "applications": ["cloud-general"],
            "data": [{"dataset": dataset, "labels": "all"}],
            "max_minutes": 30,
            "options": options,
        }
        path, worker = f"/models/{model}/versions/1", worker_of("training")
        began, worked = time.perf_counter(), processor_time(worker)
        self.post(f"/models/{model}/versions", 202, json=asked)
        version = self.wait(path, 1800)
        took = time.perf_counter() - began
        self.rest()  # its process has ended, and its time is counted
        assert version["state"] == "succeeded", version
        return Took(took, processor_time(worker) - worked), version, path


def worker_of(queue: str) -> psutil.Process:
    """The worker of this queue among what the tests started."""
    for process in psutil.Process().children(recursive=True):
        if "rqworker" in process.cmdline() and queue in process.cmdline():
            return process
    raise AssertionError(f"no worker of {queue} runs")


def processor_time(process: psutil.Process) -> float:
    """Seconds that this process and those of its children that ended have worked."""
    return float(sum(process.cpu_times()[:4]))
