"""The parts by themselves: metrics against scikit-learn, temperature, label weights, the exported file."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from sklearn import metrics as reference

from tests.training.engine.tasks import PIXEL_SPEC, clouds, head_task, shapes, split_of
from training.engine.data import Batches, Part, class_weights, read_parts
from training.engine.head import new_head
from training.engine.loop import Best, _replaces
from training.engine.metrics import calibration_error, scores_of
from training.engine.refusals import EngineRefusal
from training.engine.scratch import Network, Scratch, augmented, exported
from training.engine.spec import BadSpec, FitTask
from training.engine.temperature import HIGHEST, LOWEST, fitted_temperature


def logits_for(targets: torch.Tensor, labels: int, sharpness: float) -> torch.Tensor:
    """Logits whose softmax is right as often as it says, then sharpened, so that they claim too much."""
    random = torch.Generator().manual_seed(0)
    true = torch.randn(len(targets), labels, generator=random) * 1.5
    drawn = torch.multinomial(true.softmax(1), 1, generator=random)[:, 0]
    targets.copy_(drawn)
    return true * sharpness


def test_metrics_agree_with_scikit_learn() -> None:
    random = np.random.default_rng(0)
    logits, targets = random.normal(size=(200, 8)), random.integers(0, 7, 200)  # label 7 never occurs
    found = scores_of(torch.from_numpy(logits), torch.from_numpy(targets))
    said = logits.argmax(1)
    options: Any = {"average": "macro", "zero_division": 0}
    assert found["top1"] == pytest.approx(reference.accuracy_score(targets, said))
    assert found["top5"] == pytest.approx(
        reference.top_k_accuracy_score(targets, logits, k=5, labels=np.arange(8)), abs=1e-6
    )
    assert found["precision"] == pytest.approx(reference.precision_score(targets, said, **options))
    assert found["recall"] == pytest.approx(reference.recall_score(targets, said, **options))
    assert found["f1"] == pytest.approx(reference.f1_score(targets, said, **options))


def test_top5_is_one_with_five_labels_or_fewer() -> None:
    assert scores_of(torch.zeros(4, 3), torch.tensor([0, 1, 2, 2]))["top5"] == 1


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_temperature_finds_how_much_is_claimed_too_much(sharpness: float) -> None:
    targets = torch.zeros(3000, dtype=torch.long)
    logits = logits_for(targets, 6, sharpness)
    found = fitted_temperature(logits, targets)
    assert found == pytest.approx(sharpness, rel=0.1)
    assert calibration_error(logits / found, targets) < 0.03


def test_temperature_stays_sane_where_the_data_say_nothing() -> None:
    right, targets = 3 * torch.eye(3), torch.arange(3)
    assert LOWEST <= fitted_temperature(right, targets) < 1
    assert 1 < fitted_temperature(right, targets.roll(1)) <= HIGHEST
    assert fitted_temperature(torch.zeros(1, 3), torch.tensor([0])) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(("counts", "weighed"), [((30, 30), False), ((30, 21), False), ((30, 19), True)])
def test_labels_are_weighed_only_where_their_counts_differ_much(
    counts: tuple[int, int], weighed: bool, tmp_path: Path
) -> None:
    task = task_in(tmp_path, labels=["a", "b"])
    targets = torch.repeat_interleave(torch.arange(2), torch.tensor(counts))
    weights = class_weights(task, targets)
    assert (weights is not None) == weighed
    if weights is not None:
        assert weights[targets].mean() == pytest.approx(1)
        assert weights[1] / weights[0] == pytest.approx(30 / 19)


@pytest.mark.parametrize(("wish", "weighed"), [("weighted", True), ("balanced", True), ("off", False)])
def test_a_wish_about_unequal_labels_is_carried_out_whatever_the_counts(
    wish: str, weighed: bool, tmp_path: Path
) -> None:
    targets = torch.tensor([0, 0, 0, 1, 1])
    task = task_in(tmp_path, labels=["a", "b"], class_weights=wish)
    weights = class_weights(task, targets)
    assert (weights is not None) == weighed
    module = new_head(task, Part(np.zeros((5, 2), np.float32), np.arange(5), targets), weights, 0.0)
    assert (module.loss_weights is not None) == (wish == "weighted")  # else twice made up for


def test_another_wish_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSpec, match="balanced"):
        task_in(tmp_path, class_weights="heavy")


def ten_to_one(labels: int = 2) -> Part:
    """A hundred pictures of label 0 and ten of each other; each picture's input is its number."""
    targets = torch.repeat_interleave(torch.arange(labels), torch.tensor([100] + [10] * (labels - 1)))
    return Part(np.arange(len(targets), dtype=np.float32)[:, None], np.arange(len(targets)), targets)


def test_balanced_batches_have_as_many_of_each_label_in_a_set_of_ten_to_one() -> None:
    for labels, size in ((2, 16), (3, 16), (5, 32)):
        batches = Batches(ten_to_one(labels), size, seed=3, balanced=True)
        found = [torch.bincount(targets, minlength=labels) for _, targets in batches]
        assert len(found) == len(batches) and sum(int(each.sum()) for each in found) == len(batches.part)
        assert all(each.max() - each.min() <= 2 for each in found)  # a round may be cut by a batch's end
        total = torch.stack(found).sum(0)
        assert total.max() - total.min() <= 1
    plain = torch.stack([torch.bincount(t, minlength=2) for _, t in Batches(ten_to_one(), 16, seed=3)])
    assert plain.sum(0).tolist() == [100, 10]


def test_balanced_passes_go_through_a_labels_pictures_in_turns_and_the_seed_fixes_them() -> None:
    def a_pass(batches: Batches) -> list[float]:
        return [float(each) for inputs, _ in batches for each in inputs[:, 0]]

    batches = Batches(ten_to_one(), 16, seed=3, balanced=True)
    first, second = a_pass(batches), a_pass(batches)
    assert first == a_pass(Batches(ten_to_one(), 16, seed=3, balanced=True)) != second
    small = [each for each in first if each >= 100]
    assert len(small) == 55 and {small.count(each) for each in set(small)} == {5, 6} and len(set(small)) == 10
    large = [each for each in first if each < 100]
    assert len(set(large)) == len(large) == 55  # none twice where there are enough


def task_in(folder: Path, **fields: Any) -> FitTask:
    features, targets = clouds(60)
    return head_task(folder, features, targets, split_of(60), **{"labels": ["a", "b", "c"], **fields})


def test_batches_cover_everything_once_and_the_seed_fixes_their_order() -> None:
    part = Part(np.arange(20, dtype=np.float32)[:, None], np.arange(3, 17), torch.arange(14))
    passes = [torch.cat([x for x, _ in Batches(part, 4, seed=seed)])[:, 0].tolist() for seed in (1, 1, 2)]
    assert len(Batches(part, 4)) == 4
    assert sorted(passes[0]) == list(range(3, 17))
    assert passes[0] == passes[1] != passes[2]
    for inputs, targets in Batches(part, 4, seed=1):
        assert (inputs[:, 0] - 3 == targets).all()


def best(metric: float, loss: float, epoch: int = 1) -> Best:
    return Best(epoch, metric, loss, {}, 0, {}, torch.zeros(1))


def replaces(new: Best, old: Best, *, pictures: int = 50, later: bool = False) -> bool:
    return _replaces(new, old, 0.90, pictures, later=later)


def test_a_difference_within_chance_is_decided_by_the_loss() -> None:
    assert replaces(best(0.88, 0.3), best(0.90, 0.5))
    assert not replaces(best(0.70, 0.3), best(0.90, 0.5))
    assert replaces(best(0.90, 0.5), best(0.88, 0.51), pictures=100_000)


def test_a_schedule_is_followed_to_its_end_where_chance_decides() -> None:
    assert replaces(best(0.88, 0.7, epoch=2), best(0.90, 0.5), later=True)
    assert not replaces(best(0.70, 0.3, epoch=2), best(0.90, 0.5), later=True)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"features": np.zeros((60, 3, 2), np.float32)}, "array-shape"),
        ({"features": np.zeros((60, 3), np.float64)}, "array-shape"),
        ({"features": np.zeros((59, 3), np.float32)}, "arrays-differ"),
        ({"targets": np.full(60, 7)}, "target-unknown"),
        ({"targets": np.zeros(60, np.int64)}, "label-without-pictures"),
        ({"split": np.zeros(60, np.uint8)}, "no-validation"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_with_a_sentence(
    tmp_path: Path, change: dict[str, np.ndarray], code: str
) -> None:
    task = task_in(tmp_path)
    for name, array in change.items():
        np.save(getattr(task, name), array)
    with pytest.raises(EngineRefusal) as caught:
        read_parts(task)
    assert caught.value.code == code
    assert str(caught.value).endswith(".")


def test_the_exported_network_answers_as_torch_does(tmp_path: Path) -> None:
    torch.manual_seed(0)
    module = Scratch(task_in(tmp_path), None, 0.0, (40, 40, 3))
    pixels = torch.from_numpy(shapes(7, side=40)[0])
    module.average.inside.load_state_dict(Network(3).state_dict())
    model = exported(module, module.candidate_weights(0), temperature=1.7)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    scores, embedding = session.run(["scores", "embedding"], {"images": pixels.numpy()})
    with torch.inference_mode():
        logits, features = module.average.eval()(pixels)
    assert np.abs(scores - (logits / 1.7).softmax(1).numpy()).max() < 1e-5
    assert np.abs(embedding - features.numpy()).max() < 1e-4


def test_augmented_pictures_stay_pictures_of_the_same_thing() -> None:
    torch.manual_seed(0)
    pixels = torch.from_numpy(shapes(30)[0])
    found = augmented(pixels)
    assert found.shape == pixels.shape
    assert found.min() >= 0 and found.max() <= 255
    assert (found.mean((1, 2, 3)) / pixels.float().mean((1, 2, 3)) - 1).abs().max() < 0.8
    assert (found - pixels).abs().mean() > 5


def test_the_pixel_spec_is_only_carried(tmp_path: Path) -> None:
    assert task_in(tmp_path).pixel_spec == PIXEL_SPEC
