"""What tests of training share: tagged discs, a model, and a version whose report is known."""

import numpy as np
import pytest

from datasets.models import Dataset
from tests.factories import Team
from tests.training.makers import finished, model_of, tagged
from training.models import ModelVersion, RegisteredModel


@pytest.fixture
def discs(team: Team) -> Dataset:
    """Red and blue discs, ten of each."""
    return tagged(team.project, {"red": 10, "blue": 10})


@pytest.fixture
def model(team: Team) -> RegisteredModel:
    """A model without versions."""
    return model_of(team.project)


@pytest.fixture
def version(team: Team, discs: Dataset, model: RegisteredModel) -> ModelVersion:
    """A version that held back two red and two blue pictures and took one red for blue."""
    red_first = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0.3, 0.7]], dtype=np.float32)
    return finished(model, discs, team.people["engineer"], red_first)
