"""Checks that this machine gives the scores that the model gave where it was made: python self_test.py"""

import json
import sys
from pathlib import Path

import numpy as np
from serve import HERE, Model  # type: ignore[import-not-found]

TOLERANCE = 1e-3


def main() -> int:
    """0 when all golden pictures give their scores, 1 otherwise."""
    golden = json.loads((HERE / "golden" / "scores.json").read_text("utf-8"))
    model, worst = Model(), 0.0
    if model.labels != json.loads((HERE / "labels.json").read_text("utf-8")):
        print("labels.json and the model file name different labels")
        return 1
    for name, expected in golden.items():
        picture = Path(HERE / "golden" / name).read_bytes()
        away = np.abs(model.scores_of(picture) - np.array(expected, dtype=np.float32))
        worst = max(worst, float(away.max()))
    good = worst <= TOLERANCE
    word = "OK" if good else "DIFFERENT"
    print(f"{word}: {len(golden)} pictures, largest difference {worst:.2e} (at most {TOLERANCE:g})")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
