"""Whether a picture looks like anything that was tagged: a head that knows two labels is sure of every picture.

The likeness of a picture to the nearest tagged one of its suggested label is ranked among the tagged pictures' own
likenesses, each measured without itself (a conformal p-value: Vovk et al. 2005). What is stranger than nine in ten of
them is doubted. Numpy only.
"""

from dataclasses import dataclass

import numpy as np

from datasets.ridge import unit

MOST, MOST_OF_A_LABEL = 1_000, 50  # tagged pictures to compare with: likeness is a product of matrices
USUAL = 0.1  # the share of the tagged pictures that are as strange as what is still not doubted


@dataclass(frozen=True)
class Known:
    """Tagged pictures to compare with: unit vectors [n, d], their classes [n], their own likenesses in order [n]."""

    vectors: np.ndarray
    classes: np.ndarray
    own: np.ndarray

    def trust(self, vectors: np.ndarray, classes: np.ndarray) -> np.ndarray:
        """[m, d] and the class suggested for each [m] → float32 [m], 1 for the usual, less for strangers."""
        nearest = likeness(unit(vectors), classes, self.vectors, self.classes)
        rank = (1 + np.searchsorted(self.own, nearest, side="right")) / (len(self.own) + 1)
        return np.minimum(1, rank / USUAL).astype(np.float32)


def known(vectors: np.ndarray, classes: np.ndarray) -> Known:
    """Keep at most 50 tagged pictures of each class, drawn always alike, and how like each is to the others."""
    share = max(2, min(MOST_OF_A_LABEL, MOST // (int(classes.max()) + 1)))
    drawn = np.random.default_rng(0).permutation(len(classes))
    kept = np.concatenate([drawn[classes[drawn] == each][:share] for each in np.unique(classes)])
    some, theirs = unit(vectors[kept]), classes[kept]
    own = likeness(some, theirs, some, theirs, itself=True)
    return Known(some, theirs, np.sort(own))


def likeness(
    vectors: np.ndarray, classes: np.ndarray, others: np.ndarray, theirs: np.ndarray, *, itself: bool = False
) -> np.ndarray:
    """[m]: the cosine of each picture to the nearest other of its class; -1 where there is none."""
    cosines = vectors @ others.T
    cosines[classes[:, None] != theirs[None, :]] = -1
    if itself:
        np.fill_diagonal(cosines, -1)
    return np.asarray(cosines.max(axis=1))
