"""Pictures that were released between asking for a training and its start."""

from pathlib import Path

import numpy as np
import pytest

from training.inputs import Inputs
from training.manifest import Manifest
from training.running import DataGone, refuse_without_a_label

DATA = Manifest(("cat", "dog"), (), ())


def inputs(folder: Path, targets: list[int], left_out: list[str]) -> Inputs:
    """What preparing came to."""
    np.save(folder / "targets.npy", np.array(targets, dtype=np.int64))
    return Inputs({"targets": str(folder / "targets.npy")}, left_out)


def test_a_training_goes_on_without_some_of_its_pictures(tmp_path: Path) -> None:
    refuse_without_a_label(DATA, inputs(tmp_path, [0, 1, 1], ["1.jpg"]))


def test_it_refuses_where_a_label_has_lost_them_all(tmp_path: Path) -> None:
    with pytest.raises(DataGone) as refused:
        refuse_without_a_label(DATA, inputs(tmp_path, [0, 0], ["1.jpg", "2.jpg"]))
    assert str(refused.value) == "All pictures of “dog” are gone or cannot be read; 2 are missing in all."
