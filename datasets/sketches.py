"""Pictures in short: 64 bytes each instead of a kilobyte, near which those lie that look alike. Pure numpy."""

import io
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from datasets.clusters import Points

DIMENSIONS = 64
CHUNK = 65_536
STEPS = 127  # of int8 on either side of 0


@dataclass(frozen=True)
class Basis:
    """How a vector becomes short: along the directions in which pictures differ most (principal components)."""

    mean: Points  # [dimensions of the extractor]
    directions: Points  # [dimensions of the extractor, up to DIMENSIONS]
    step: np.float32

    @classmethod
    def learn(cls, vectors: NDArray[np.float16]) -> "Basis":
        """From a sample [n, dimensions]."""
        points = upright(vectors)
        mean = points.mean(axis=0)
        centred = points - mean
        _, directions = np.linalg.eigh(centred.T @ centred)
        kept = np.ascontiguousarray(directions[:, ::-1][:, :DIMENSIONS], dtype=np.float32)
        largest = float(np.quantile(np.abs(centred @ kept), 0.9999)) or 1.0
        return cls(mean, kept, np.float32(largest / STEPS))

    def codes(self, vectors: NDArray[np.float16]) -> NDArray[np.int8]:
        """Vectors [n, dimensions] in short: int8 [n, up to DIMENSIONS]."""
        short = (upright(vectors) - self.mean) @ self.directions / self.step
        codes: NDArray[np.int8] = np.rint(short).clip(-STEPS, STEPS).astype(np.int8)
        return codes


def upright(vectors: NDArray[np.float16]) -> Points:
    """Of length 1, so that only directions count."""
    points = np.asarray(vectors, dtype=np.float32)
    lengths: Points = np.linalg.norm(points, axis=1, keepdims=True)
    return (points / np.maximum(lengths, 1e-6)).astype(np.float32)


@dataclass(frozen=True)
class Sketch:
    """A data set's pictures in short, by rising id, and the centres of their groups."""

    ids: NDArray[np.int64]  # [n]
    codes: NDArray[np.int8]  # [n, up to DIMENSIONS]
    basis: Basis
    centres: Points  # [groups, up to DIMENSIONS]
    lengths: Points = field(init=False)  # [n], squared

    def __post_init__(self) -> None:
        parts = [self.codes[at : at + CHUNK].astype(np.float32) for at in range(0, len(self.codes), CHUNK)]
        lengths = [(part**2).sum(axis=1) for part in parts] or [np.empty(0, dtype=np.float32)]
        object.__setattr__(self, "lengths", np.concatenate(lengths))

    def place_of(self, picture: int) -> int | None:
        """At which row a picture stands."""
        at = int(np.searchsorted(self.ids, picture))
        return at if at < len(self.ids) and self.ids[at] == picture else None

    def nearest(self, place: int, most: int) -> list[int]:
        """The ids of the pictures that look most like that of this row, the most alike first, without itself."""
        wanted = self.codes[place].astype(np.float32)
        far = self.lengths.copy()
        for at in range(0, len(self.codes), CHUNK):
            far[at : at + CHUNK] -= 2 * (self.codes[at : at + CHUNK].astype(np.float32) @ wanted)
        far[place] = np.inf
        most = min(most, len(far) - 1)
        if most < 1:
            return []
        found = np.argpartition(far, most - 1)[:most]
        return [int(each) for each in self.ids[found[np.lexsort((found, far[found]))]]]

    def to_bytes(self) -> bytes:
        """As a file."""
        out = io.BytesIO()
        basis = self.basis
        np.savez(
            out, ids=self.ids, codes=self.codes, centres=self.centres,
            mean=basis.mean, directions=basis.directions, step=basis.step,
        )  # fmt: skip
        return out.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> "Sketch":
        """Back from the file."""
        with np.load(io.BytesIO(content), allow_pickle=False) as kept:
            basis = Basis(kept["mean"], kept["directions"], np.float32(kept["step"]))
            return cls(kept["ids"], kept["codes"], basis, kept["centres"])
