"""The second look: near copies that the grouping did not see end up on one side, and the version says how many."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from django.test import Client
from PIL import Image as PillowImage
from PIL import ImageOps
from pytest_django.fixtures import Settings

from datasets.models import Dataset
from datasets.preparing import difference_hash
from tests.factories import Team
from tests.training.makers import add_picture, asked, drawn, model_of
from training import manifest
from training.leaks import least_of, near_pairs, settled, telling
from training.manifest import Entry, Manifest
from training.models import ModelVersion
from training.split_words import split_sentences
from training.splitting import HELD_BACK, TRAIN, VALIDATION


def entry(at: int, part: str, label: str = "a", group: int | None = None) -> Entry:
    return Entry(at, f"{at}.jpg", f"sha-{at}", "k", label, part, at if group is None else group)


def some(train: int, validation: int, held_back: int) -> list[Entry]:
    parts = [TRAIN] * train + [VALIDATION] * validation + [HELD_BACK] * held_back
    return [entry(at, part) for at, part in enumerate(parts)]


def near(*pairs: tuple[int, int]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for one, other in pairs:
        found.setdefault(one, set()).add(other)
        found.setdefault(other, set()).add(one)
    return found


def test_a_held_back_near_copy_moves_to_the_training_side_with_what_hangs_on_it() -> None:
    entries = some(8, 2, 6)
    entries[11] = replace(entries[11], group=entries[10].group)  # 10 and 11 are one group
    found, facts = settled(entries, near((10, 0), (11, 12), (13, 14)), ())
    parts = {each.image: each.part for each in found}
    assert [parts[at] for at in (10, 11, 12)] == [TRAIN] * 3  # 12 is a copy of 11, which had to go
    assert parts[13] == parts[14] == HELD_BACK
    assert facts == {"moved": 3, "validation_moved": 0, "left_out": 0, "remaining": 0}


def test_a_held_back_copy_of_a_picture_to_choose_by_moves_and_takes_it_along() -> None:
    found, facts = settled(some(8, 2, 4), near((10, 8)), ())
    parts = {each.image: each.part for each in found}
    assert parts[10] == parts[8] == TRAIN and parts[9] == VALIDATION
    assert (facts["moved"], facts["validation_moved"]) == (1, 1)


def test_a_fixed_picture_stays_and_its_copies_are_left_out() -> None:
    found, facts = settled(some(8, 2, 4), near((10, 0), (10, 8), (11, 1)), {"sha-10"})
    assert {each.image for each in found} == set(range(14)) - {0, 8}
    assert next(each for each in found if each.image == 10).part == HELD_BACK
    assert (facts["moved"], facts["left_out"], facts["remaining"]) == (1, 2, 0)


def test_neither_side_is_emptied_and_what_remains_is_counted() -> None:
    pairs = [(10 + at, other) for at in range(4) for other in range(8)]
    found, facts = settled(some(8, 2, 4), near(*pairs), ())
    left = [each.part for each in found]
    assert left.count(HELD_BACK) == 2 and left.count(TRAIN) >= 4
    assert facts["moved"] == 2 and facts["left_out"] >= 4 and facts["remaining"] == 2
    said = " ".join(map(str, split_sentences({"leaks": facts | {"looked_at": 14, "of": 14}})))
    assert "moved to the training side: 2 that were held back, 0 to choose by" in said
    assert "their labels have too few others: 2." in said


def test_all_near_pairs_are_found_and_no_others() -> None:
    chance = np.random.default_rng(3)
    kinds = chance.normal(0, 1, (30, 300))
    vectors = (kinds[np.arange(900) % 30] + chance.normal(0, 0.3, (900, 300))).astype(np.float16)
    whole = vectors.astype(np.float32)
    whole /= np.linalg.norm(whole, axis=1, keepdims=True)
    tested = np.arange(600, 900)
    for least in (0.9, 0.91, 0.92):
        found = set(near_pairs(vectors, tested, least))
        sure, may_be = (np.argwhere(whole[tested] @ whole.T >= least + e) for e in (1e-4, -1e-4))
        truth = {(600 + int(one), int(other)) for one, other in sure if 600 + one != other}
        at_most = {(600 + int(one), int(other)) for one, other in may_be if 600 + one != other}
        assert truth and truth <= found <= at_most


def test_where_all_pictures_look_alike_only_more_says_copy() -> None:
    chance = np.random.default_rng(5)
    tested = np.arange(200, 300)

    def set_of(noise: float) -> np.ndarray:
        return (1 + chance.normal(0, noise, (300, 400))).astype(np.float16)

    assert telling(chance.normal(0, 1, (300, 400)), tested, 0.92) == 0.92
    assert telling(set_of(0.2), tested, 0.92) == 0.97  # any two have a cosine of about 0.96
    assert telling(set_of(0.01), tested, 0.92) is None
    said = split_sentences({"leaks": {"looked_at": 300, "of": 300, "too_alike": True}}, findings_alone=True)
    assert "cannot be told" in str(said[0]) and len(said) == 1


def test_a_manifest_that_nothing_moved_in_keeps_its_hash() -> None:
    entries = tuple(some(4, 1, 2))
    plain = Manifest(("a",), entries, ())
    looked = replace(plain, facts={"leaks": {"moved": 0, "looked_at": 7}})
    moved = replace(plain, facts={"leaks": {"moved": 1, "looked_at": 7}})
    assert plain.content_hash == looked.content_hash != moved.content_hash
    assert manifest.load(manifest.save(moved)) == moved


def test_each_backbone_has_its_threshold() -> None:
    assert least_of("mobilenet_v2-b0353104-224-stretch") == 0.92
    assert least_of("resnet18-5c106cde") == 0.95


def photograph(number: int, label: str) -> PillowImage.Image:
    """A drawn picture, larger and smoother, so that pretrained features tell one from another."""
    picture = PillowImage.open(io.BytesIO(drawn(label, number)))
    return picture.resize((160, 160), PillowImage.Resampling.BICUBIC)


def encoded(picture: PillowImage.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


@pytest.mark.slow
def test_a_mirrored_copy_in_a_real_training_is_found_moved_and_reported(
    team: Team, work: Callable[[], None], settings: Settings, weights_dir: Path, shared_data: Path,
    page: Callable[[str], Client], api: Callable[..., Client],
) -> None:  # fmt: skip
    settings.WEIGHTS_DIR = weights_dir
    dataset = Dataset.objects.create(project=team.project, name="Flowers")
    folders = sorted((shared_data / "flowers5").iterdir())[:2]
    for folder in folders:
        for path in sorted(folder.glob("*.jpg"))[:12]:
            picture = PillowImage.open(path).convert("RGB")
            for name, each in (("", picture), ("-mirrored", ImageOps.mirror(picture))):
                add_picture(
                    dataset, encoded(each), folder.name, f"{path.stem}{name}.png",
                    difference_hash=difference_hash(each),
                )  # fmt: skip
    model = model_of(team.project)
    (version,) = asked(model, team.people["engineer"], dataset, options={"fine_tuning": "off"})
    work()
    version = ModelVersion.objects.get(pk=version.pk)
    assert version.usable, str(version.sentence)
    facts = version.split_facts["leaks"]
    assert facts["moved"] + facts["left_out"] > 0 and facts["looked_at"] == facts["of"] == 48
    data = manifest.load(version.manifest_key)
    stem = {e.image: e.name.removesuffix(".png").removesuffix("-mirrored") for e in data.entries}
    sides: dict[str, set[bool]] = {}
    for each in data.entries:
        sides.setdefault(stem[each.image], set()).add(each.part == HELD_BACK)
    both = sum(len(found) > 1 for found in sides.values())
    assert both <= facts["remaining"] + 1  # one pair may lie below the threshold
    url = f"/models/{model.pk}/versions/{version.number}"
    assert api("viewer").get(f"/api/v1{url}").json()["split_facts"]["leaks"]["moved"] == facts["moved"]
    assert "moved to the training side" in page("viewer").get(f"{url}/data/").content.decode()
    assert any(
        "nearly the same" in each.lower()
        for each in api("viewer").get(f"/api/v1{url}/report").json()["conclusion"]
    )
