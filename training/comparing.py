"""Two versions on the pictures that both were judged on: which of them is better, how sure, and where they differ."""

import gzip
import io
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from training import manifest
from training.models import ModelVersion
from web import storage

Z95 = 1.959963984540054
ENOUGH = (
    0.5  # of the smaller set of held-back pictures must be in both, else they were judged on other pictures
)
SURE = 0.05
KEPT = 64


@dataclass(frozen=True)
class Verdict:
    """A held-back picture without its scores."""

    image: int
    file: str
    true: str
    predicted: str

    @property
    def right(self) -> bool:
        """Whether it was named right."""
        return self.true == self.predicted


@dataclass(frozen=True)
class Pair:
    """One picture as two versions named it."""

    one: Verdict
    other: Verdict

    @property
    def kind(self) -> str:
        """`won`: only the second is right; `lost`: only the first; `other`: both wrong, each in its way; or `same`."""
        if self.one.predicted == self.other.predicted:
            return "same"
        return "won" if self.other.right else "lost" if self.one.right else "other"


@dataclass(frozen=True)
class Paired:
    """What changed from the first version to the second on the same `n` pictures: `won` and `lost` of them, the
    change of accuracy with its 95 % interval, and the chance of so uneven a split were they equally good."""

    n: int
    won: int
    lost: int

    @property
    def change(self) -> float:
        """The second's accuracy less the first's."""
        return (self.won - self.lost) / self.n

    @property
    def interval(self) -> tuple[float, float]:
        """Of the change: adjusted Wald for paired shares (Bonett and Price 2012), fair for small n."""
        up, down, n = self.won + 1, self.lost + 1, self.n + 2
        middle = (up - down) / n
        half = Z95 * math.sqrt(((up + down) / n - middle**2) / n)
        return max(-1.0, middle - half), min(1.0, middle + half)

    @property
    def points(self) -> dict[str, str]:
        """The change and its interval in points, with their signs."""
        low, high = self.interval
        named = {"change": self.change, "low": low, "high": high}
        return {name: f"{100 * value:+.1f}".replace("-", "\N{MINUS SIGN}") for name, value in named.items()}

    @property
    def p(self) -> float:
        """McNemar's test, exact, two-sided."""
        changed, fewer = self.won + self.lost, min(self.won, self.lost)
        tail = sum(math.comb(changed, k) for k in range(fewer + 1))
        return min(1.0, float(2 * tail / 2**changed))

    @property
    def sure(self) -> bool:
        """More than chance would explain."""
        return self.p < SURE


def verdicts(key: str) -> Iterator[Verdict]:
    """The rows of a predictions file; the scores, most of each row, are not read."""
    read = json.JSONDecoder().raw_decode
    with gzip.open(io.BytesIO(storage.read(key)), "rt", encoding="utf-8") as lines:
        for line in lines:
            values: list[Any] = []
            at = 1
            for _ in range(4):
                while line[at] in ", ":
                    at += 1
                value, at = read(line, at)
                values.append(value)
            yield Verdict(*values)


def pairs(one: ModelVersion, other: ModelVersion) -> list[Pair]:
    """The pictures that both held back under the same label, in the second's order."""
    return _pairs(one.predictions_key, other.predictions_key, *by_content(one, other))


def by_content(one: ModelVersion, other: ModelVersion) -> tuple[str, str]:
    """The manifests of two versions where a pinned test set came in: a copy of the same content may stand in for one
    of its pictures. Else nothing."""
    if one.pinned_id or other.pinned_id:
        return one.manifest_key, other.manifest_key
    return "", ""


def _pairs(one: str, other: str, first_list: str = "", other_list: str = "") -> list[Pair]:
    if not (one and other):
        return []
    contents, others = contents_of(first_list), contents_of(other_list)
    first = {contents.get(each.image, each.image): each for each in verdicts(one)}
    both = ((first.get(others.get(each.image, each.image)), each) for each in verdicts(other))
    return [Pair(a, b) for a, b in both if a is not None and a.true == b.true]


def contents_of(manifest_key: str) -> dict[int, str | int]:
    """What each picture of a manifest holds, by its number; {} without one."""
    return {e.image: e.sha256 for e in manifest.load(manifest_key).entries} if manifest_key else {}


def paired(one: ModelVersion, other: ModelVersion) -> Paired | None:
    """The change from one version to another; None where they were judged on other pictures."""
    found = _paired(one.predictions_key, other.predictions_key, *by_content(one, other))
    least = min(one.metrics.get("n", 0), other.metrics.get("n", 0))
    return found if found and found.n >= ENOUGH * least else None


@lru_cache(maxsize=KEPT)  # a predictions file never changes under its key
def _paired(one: str, other: str, first_list: str, other_list: str) -> Paired | None:
    found = [(pair.one.right, pair.other.right) for pair in _pairs(one, other, first_list, other_list)]
    if not found:
        return None
    return Paired(len(found), found.count((False, True)), found.count((True, False)))
