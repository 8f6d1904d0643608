"""The report's numbers against examples worked out by hand."""

import math

import numpy as np
import pytest

from training import measures
from training.conclusion import confusions

# Four pictures of a, three of b, three of c; as predicted: a a b c / b b a / c c c
TRUTH = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 2])
PREDICTED = np.array([0, 0, 1, 2, 1, 1, 0, 2, 2, 2])


def scores_for(predicted: np.ndarray, labels: int = 3, sure: float = 0.8) -> np.ndarray:
    scores = np.full((len(predicted), labels), (1 - sure) / (labels - 1), dtype=np.float32)
    scores[np.arange(len(predicted)), predicted] = sure
    return scores


def overall(truth: np.ndarray, scores: np.ndarray, names: list[str]) -> dict[str, object]:
    labels = measures.by_label(truth, measures.predicted_of(scores), names)
    return measures.overall(truth, scores, labels)


def test_the_matrix_counts_true_by_predicted() -> None:
    assert measures.confusion(TRUTH, PREDICTED, 3) == [[2, 1, 1], [1, 2, 0], [0, 0, 3]]


def test_precision_recall_and_f1_of_each_label() -> None:
    rows = measures.by_label(TRUTH, PREDICTED, ["a", "b", "c"])
    assert [row["precision"] for row in rows] == pytest.approx([2 / 3, 2 / 3, 3 / 4])
    assert [row["recall"] for row in rows] == pytest.approx([2 / 4, 2 / 3, 1])
    assert [row["f1"] for row in rows] == pytest.approx([4 / 7, 2 / 3, 6 / 7])
    assert [row["support"] for row in rows] == [4, 3, 3]


def test_the_macro_means_accuracy_and_kappa() -> None:
    found = overall(TRUTH, scores_for(PREDICTED), ["a", "b", "c"])
    assert found["n"] == 10 and found["accuracy"]["value"] == pytest.approx(0.7)  # type: ignore[index]
    assert found["precision"] == pytest.approx((2 / 3 + 2 / 3 + 3 / 4) / 3)
    assert found["recall"] == pytest.approx((1 / 2 + 2 / 3 + 1) / 3)
    assert found["f1"] == pytest.approx((4 / 7 + 2 / 3 + 6 / 7) / 3)
    chance = (4 * 3 + 3 * 3 + 3 * 4) / 100
    assert found["kappa"] == pytest.approx((0.7 - chance) / (1 - chance))


def test_a_label_that_is_never_predicted_counts_as_zero() -> None:
    rows = measures.by_label(np.array([0, 1]), np.array([0, 0]), ["a", "b", "never"])
    assert rows[1]["precision"] == rows[1]["f1"] == rows[2]["precision"] == rows[2]["recall"] == 0
    assert overall(np.array([0, 1]), scores_for(np.array([0, 0])), ["a", "b", "c"])["f1"] == pytest.approx(
        2 / 9
    )


def test_wilsons_interval() -> None:
    assert measures.wilson(9, 10) == pytest.approx((0.5958, 0.9821), abs=1e-4)
    assert measures.wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert measures.wilson(10, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)
    assert measures.wilson(0, 0) == (0.0, 1.0)


def test_top_k_counts_ties_in_label_order_and_is_one_beyond_the_labels() -> None:
    scores = np.array([[0.5, 0.3, 0.2], [0.4, 0.4, 0.2], [0.2, 0.3, 0.5]], dtype=np.float32)
    truth = np.array([1, 1, 0])
    assert [measures.top_k(truth, scores, k) for k in (1, 2, 3, 5)] == pytest.approx([0, 2 / 3, 1, 1])


def test_auc_is_the_mean_over_labels_of_pairs_in_the_right_order() -> None:
    truth = np.array([0, 0, 1, 1])
    scores = np.array([[0.9, 0.1], [0.4, 0.6], [0.6, 0.4], [0.2, 0.8]], dtype=np.float32)
    assert measures.auc(truth, scores) == pytest.approx(3 / 4)  # of four pairs one stands the wrong way round


def test_auc_and_kappa_are_undefined_where_only_one_label_was_held_back() -> None:
    assert measures.auc(np.array([0, 0]), scores_for(np.array([0, 1]), 2)) is None
    assert measures.kappa(np.array([0, 0]), np.array([0, 0]), 2) is None


def test_log_loss_and_calibration() -> None:
    truth, scores = np.array([0, 0, 1, 1]), scores_for(np.array([0, 0, 1, 0]), 2)
    assert measures.log_loss(truth, scores) == pytest.approx(
        -(3 * math.log(0.8) + math.log(0.2)) / 4, rel=1e-5
    )
    assert measures.calibration(truth, scores)["ece"] == pytest.approx(0.05, abs=1e-6)  # 0.8 sure, 0.75 right


def test_the_worst_confusions_come_first() -> None:
    pairs = confusions({"labels": ["a", "b", "c"], "counts": [[2, 1, 1], [5, 2, 0], [0, 0, 3]]})
    assert [(each["true"], each["predicted"], each["count"]) for each in pairs] == [
        ("b", "a", 5), ("a", "b", 1), ("a", "c", 1),
    ]  # fmt: skip
