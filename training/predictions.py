"""One row for each held-back picture: what it is, what the model said, with which scores."""

import gzip
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from web import storage

FOLDER = "predictions"
DIGITS = 6


@dataclass(frozen=True)
class Prediction:
    """A held-back picture. `scores` in the order of the model's labels."""

    image: int
    file: str
    true: str
    predicted: str
    scores: tuple[float, ...]

    def to_json(self, labels: list[str]) -> dict[str, Any]:
        """As the API gives it."""
        shown = {"image": self.image, "file": self.file, "true": self.true, "predicted": self.predicted}
        return {**shown, "scores": dict(zip(labels, self.scores, strict=True))}

    def score_of(self, label: str, labels: list[str]) -> float:
        """The probability of one label."""
        return self.scores[labels.index(label)]


def save(rows: list[Prediction]) -> str:
    """Write them; returns the key."""
    lines = "".join(
        json.dumps([row.image, row.file, row.true, row.predicted, *row.scores], ensure_ascii=False) + "\n"
        for row in rows
    )
    return storage.put_bytes(FOLDER, gzip.compress(lines.encode(), mtime=0), ".jsonl.gz")


def load(key: str) -> Iterator[Prediction]:
    """Back from storage, one at a time, in the order of the manifest."""
    with gzip.open(io.BytesIO(storage.read(key)), "rt", encoding="utf-8") as lines:
        for line in lines:
            image, file, true, predicted, *scores = json.loads(line)
            yield Prediction(image, file, true, predicted, tuple(scores))
