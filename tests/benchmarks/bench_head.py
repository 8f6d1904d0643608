"""How right the head is beside scikit-learn's logistic regression on the same features and splits: `make bench`.

The whole path of the product's head: fit, validation, refit, and the matrix that the model file holds. The
regression learns from training and validation pictures together. Both are counted on the same held-back fifth, split
by split, so the difference is paired. Its interval (95 %, Student's t) takes the splits as independent, though they
share pictures.
TAXON_BENCH_SETS: which sets, with commas (all); TAXON_BENCH_SEEDS: how many splits (5).
"""

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import t

from datasets.pixels import spec_for
from tests.benchmarks.fit_measurement import (
    HEAD_SETS,
    Features,
    extractor_for,
    features_of,
    head,
    logistic,
    split_of,
)
from training.engine.spec import TRAIN, VALIDATION

SEEDS = int(os.environ.get("TAXON_BENCH_SEEDS", "5"))
SETS = [name for name in os.environ.get("TAXON_BENCH_SETS", "").split(",") if name] or list(HEAD_SETS)


@pytest.mark.slow
def test_the_head_against_logistic_regression(shared_data: Path, weights_dir: Path, tmp_path: Path) -> None:
    spec = spec_for(224)
    extractor = extractor_for(spec, tmp_path, weights_dir)
    print(f"\nHeld-back accuracy of {SEEDS} splits; differences in points, with their 95 % interval")
    differences = []
    for name in SETS:
        features = features_of(shared_data, name, spec, extractor)
        pairs = np.array([accuracies(features, seed, extractor, tmp_path) for seed in range(SEEDS)])
        differences.append(pairs[:, 0] - pairs[:, 1])
        ours, theirs = 100 * pairs.mean(0)
        print(
            f"{name}: head {ours:.1f} %, logistic regression {theirs:.1f} %: {told(differences[-1])}",
            flush=True,
        )
    print(f"all sets, mean: {told(np.mean(differences, axis=0))}")


def accuracies(features: Features, seed: int, extractor: Path, work: Path) -> tuple[float, float]:
    """Ours and the regression's, on one split."""
    split = split_of(features[1], seed)
    ours, _, _ = head(features, split, extractor, work, seed)
    theirs, _ = logistic(features, split, (TRAIN, VALIDATION))
    return ours, theirs


def told(differences: np.ndarray) -> str:
    """Their mean, its interval, and each."""
    points = 100 * differences
    reach = (
        t.ppf(0.975, len(points) - 1) * points.std(ddof=1) / np.sqrt(len(points))
        if len(points) > 1
        else np.nan
    )
    each = " ".join(f"{point:+.1f}" for point in points)
    return f"{points.mean():+.1f} [{points.mean() - reach:+.1f}, {points.mean() + reach:+.1f}] ({each})"
