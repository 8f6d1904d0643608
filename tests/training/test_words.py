"""Pages say a version's settings in the form's words, and nothing that sounds better than it is."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from django.utils import translation
from pytest_django.fixtures import Settings

from tests.factories import Team
from training import differing, tradeoff, wishes
from training.models import Application, ModelVersion
from training.option_words import method_in_words, options_in_words
from training.profiles import PROFILES

Page = Callable[[str], Client]


def test_options_and_methods_are_said_in_the_readers_language() -> None:
    options = {"fine_tuning": "off", "class_weights": "none", "warm_start": 3, "max_latency_ms": 12.0}
    with translation.override("en"):
        assert list(options_in_words(options).items()) == [
            ("After the first model", "Stop there"),
            ("Labels of unequal size", "Leave it as it is"),
            ("Go on from", "version 3"),
            ("At most so many milliseconds a picture", "12"),
        ]
        assert method_in_words(None) == "–"
    with translation.override("zh-hans"):
        assert method_in_words("head") == "初步模型" and "off" not in str(options_in_words(options))


def test_every_option_that_is_taken_has_words() -> None:
    given = dict.fromkeys(wishes.OPTIONS, 1) | {"class_weights": "auto", "fine_tuning": "off", "split": "own"}
    with translation.override("zh-hans"):
        said = options_in_words(wishes.options_of(given))
    assert not set(said) & set(wishes.OPTIONS)


def test_details_and_compare_use_these_words(page: Page, version: ModelVersion) -> None:
    ModelVersion.objects.update(options={"fine_tuning": "off"})
    version.refresh_from_db()
    shown = page("viewer").get(f"/models/{version.model_id}/versions/1/details/").content.decode()
    assert "After the first model" in shown and "fine_tuning" not in shown
    assert {line.name: line.one for line in differing.settings(version, version)}[
        "After the first model"
    ] == "Stop there"


@pytest.mark.parametrize("name", ["fine_tunning", "epochs", "x" * 999])
def test_a_misspelt_option_is_refused_with_those_there_are(name: str) -> None:
    with pytest.raises(wishes.BadWish) as refused:
        wishes.options_of({name: "off"})
    assert "fine_tuning" in str(refused.value) and len(str(refused.value)) < 300


def test_a_fall_of_recall_has_a_minus_sign() -> None:
    rows = [{"support": 8, "recall": share} for share in (0.875, 0.75)]
    assert differing.LabelLine("rose", *rows).points == "\N{MINUS SIGN}12.5"
    assert differing.LabelLine("rose", rows[0], rows[0]).points == "0.0"
    assert differing.LabelLine("rose", rows[1], rows[0]).points == "+12.5"


def test_an_application_that_takes_anothers_network_says_so(
    db: None, settings: Settings, tmp_path: Path
) -> None:
    settings.WEIGHTS_DIR, settings.WEIGHTS_DOWNLOAD, settings.DATA_DIR = tmp_path, False, tmp_path / "data"
    (tmp_path / "mobilenet_v2.pth").write_bytes(b"w")
    accurate, general = (
        tradeoff.tradeoff_of(PROFILES[each])
        for each in (Application.CLOUD_ACCURATE, Application.CLOUD_GENERAL)
    )
    assert accurate.as_good_as is PROFILES[Application.CLOUD_GENERAL] and general.as_good_as is None


def test_among_three_labels_the_first_three_are_no_merit(
    page: Page, team: Team, version: ModelVersion
) -> None:
    address = f"/models/{version.model_id}/versions/1/report/"
    assert "among the first three" not in page("viewer").get(address).content.decode()
    version.report["labels"] *= 2
    ModelVersion.objects.update(report=version.report)
    assert "among the first three" in page("viewer").get(address).content.decode()
