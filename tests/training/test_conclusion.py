"""A report's first words: a share that a constant answer reaches, too, is not praised."""

from typing import Any

import pytest

from training.conclusion import conclude

NO_MERIT = "not clearly better than always answering “x”"


def report(supports: tuple[int, int], value: float, low: float) -> dict[str, Any]:
    """A report with two labels."""
    labels = [{"name": name, "support": n, "recall": value} for name, n in zip("xy", supports, strict=True)]
    overall = {"n": sum(supports), "accuracy": {"value": value, "low": low, "high": 1.0}}
    matrix = {"labels": ["x", "y"], "counts": [[supports[0], 0], [0, supports[1]]]}
    return {"overall": overall, "labels": labels, "confusions": [], "confusion_matrix": matrix, "about": {}}


@pytest.mark.parametrize(
    ("supports", "value", "low", "said"),
    [
        ((2, 2), 0.5, 0.15, True),  # a coin
        ((90, 10), 0.92, 0.85, True),  # sounds well, and is what the large label gives away
        ((90, 10), 0.97, 0.915, False),
        ((20, 20), 0.8, 0.65, False),
    ],
)
def test_what_a_constant_answer_reaches_is_no_merit(
    supports: tuple[int, int], value: float, low: float, said: bool
) -> None:
    sentences = [str(each) for each in conclude(report(supports, value, low), {})]
    assert any(NO_MERIT in each for each in sentences[1:2]) is said
    assert any(NO_MERIT in each for each in sentences) is said
