"""What a training reaches on real photographs, beside a logistic regression on the same features."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pytest_django.fixtures import Settings

from datasets import embeddings
from datasets.models import Dataset
from tests.factories import Team
from tests.training.makers import add_picture, asked, model_of
from training import manifest, predictions
from training.extractors import as_embeddings
from training.models import Extractor, ModelVersion, VersionState

Work = Callable[[], None]


@pytest.fixture
def photographs(team: Team, shared_data: Path) -> Dataset:
    """Five flowers, a hundred real photographs each."""
    dataset = Dataset.objects.create(project=team.project, name="Flowers")
    for path in sorted((shared_data / "flowers5").glob("*/*")):
        add_picture(dataset, path.read_bytes(), path.parent.name, path.name)
    return dataset


def reference(version: ModelVersion) -> np.ndarray:
    """Which held-back pictures scikit-learn's logistic regression names right, from the same features."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    data, source = manifest.load(version.manifest_key), as_embeddings(Extractor.objects.get())
    learned = [entry for entry in data.entries if entry.part != "held_back"]
    held_back = data.part("held_back")
    embeddings.ensure_features(source, [(entry.sha256, entry.key) for entry in held_back])
    scale = StandardScaler()
    x = scale.fit_transform(
        embeddings.features_of(source, [entry.sha256 for entry in learned]).astype(np.float32)
    )
    fitted = LogisticRegression(max_iter=2000).fit(x, [entry.label for entry in learned])
    unseen = embeddings.features_of(source, [entry.sha256 for entry in held_back]).astype(np.float32)
    return np.asarray(fitted.predict(scale.transform(unseen)) == [entry.label for entry in held_back])


def paired_interval(differences: np.ndarray) -> tuple[float, float]:
    """95 % bootstrap interval of the mean of paired differences."""
    chance = np.random.default_rng(0)
    means = chance.choice(differences, (4000, len(differences))).mean(axis=1)
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


@pytest.mark.slow
def test_real_photographs_are_named_no_worse_than_by_a_logistic_regression(
    team: Team, work: Work, settings: Settings, weights_dir: Path, photographs: Dataset
) -> None:
    settings.WEIGHTS_DIR = weights_dir
    head_alone = {"fine_tuning": "off"}
    (version,) = asked(
        model_of(team.project), team.people["engineer"], photographs, max_minutes=3.0, options=head_alone
    )
    work()
    version.refresh_from_db()
    assert version.state == VersionState.SUCCEEDED, version.sentence
    assert version.backbone == "mobilenet_v2" and version.report["about"]["pretrained"]
    ours = np.array([row.true == row.predicted for row in predictions.load(version.predictions_key)])
    theirs = reference(version)
    low, high = paired_interval(ours.astype(float) - theirs)
    print(f"n = {len(ours)}: ours {ours.mean():.3f}, regression {theirs.mean():.3f}, [{low:.3f}, {high:.3f}]")
    print(f"took {version.report['about']['seconds']} s, {version.report['about']['epochs']} epochs")
    moved = version.split_facts["leaks"]["moved"]  # near copies of what it learned from
    assert version.report["overall"]["n"] == len(ours) == 100 - moved >= 97
    assert version.report["overall"]["accuracy"]["value"] == pytest.approx(ours.mean())
    assert high >= 0, "clearly worse than a logistic regression"
    assert ours.mean() > 0.75
