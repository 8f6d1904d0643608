"""The table of applications: which networks, in an order that keeps what the pages say of accuracy, speed and size."""

from collections.abc import Callable
from itertools import pairwise

from training.engine.families import fixed_side, is_known
from training.engine.torchvision_import import torchvision
from training.hub import FILES
from training.profiles import PROFILES, Profile
from training.tuning import SECONDS_A_PICTURE


def facts(backbone: str) -> tuple[float, float]:
    """What torchvision says of the default weights: share of ImageNet right, megabytes."""
    meta = torchvision.models.get_model_weights(backbone).DEFAULT.meta
    return meta["_metrics"]["ImageNet-1K"]["acc@1"], meta["_file_size"]


def ranked(rank: Callable[[Profile], int]) -> list[Profile]:
    return sorted(PROFILES.values(), key=rank)


def test_the_first_choices_are_as_right_as_quick_and_as_light_as_the_page_says() -> None:
    for least, more in pairwise(ranked(lambda each: each.accuracy)):
        assert facts(least.backbones[0])[0] <= facts(more.backbones[0])[0]
    for least, more in pairwise(ranked(lambda each: each.speed)):
        assert SECONDS_A_PICTURE[least.backbones[0]] >= SECONDS_A_PICTURE[more.backbones[0]]
    for least, more in pairwise(ranked(lambda each: each.lightness)):
        assert facts(least.backbones[0])[1] >= facts(more.backbones[0])[1]


def test_what_does_for_a_humbler_application_does_for_the_next() -> None:
    for least, more in pairwise(ranked(lambda each: each.accuracy)):
        assert set(least.backbones) <= set(more.backbones)


def test_each_network_can_be_used_fetched_and_estimated() -> None:
    for profile in PROFILES.values():
        for backbone in profile.backbones:
            assert is_known(backbone) and backbone in FILES and backbone in SECONDS_A_PICTURE
            assert fixed_side(backbone) in (None, profile.size)


def test_the_files_are_those_of_the_default_weights() -> None:
    for backbone, name in FILES.items():
        assert torchvision.models.get_model_weights(backbone).DEFAULT.url.endswith(f"/{name}")


def test_a_transformer_is_the_last_choice() -> None:
    assert [each.backbones[-1] for each in PROFILES.values() if "vit_b_16" in each.backbones] == ["vit_b_16"]
