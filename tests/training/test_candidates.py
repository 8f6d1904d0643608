"""What is tried in the time that a fine-tuning left over: in which order, and how much of it fits."""

from dataclasses import replace

import pytest

from training.candidates import ROUNDS, Candidate, Pace, first_rung, others, pace_of
from training.tuning import LEAST_EPOCHS, OVERHEAD

DONE = Candidate("mobilenet_v2", 160)
PACE = Pace(DONE, epoch=10.0, pictures=500, threads=1)
NETWORKS = ["mobilenet_v2", "squeezenet1_1", "resnet18"]


def test_first_another_rate_then_the_next_network_then_larger_pictures() -> None:
    assert others(DONE, NETWORKS, [224, 160, 112]) == [
        Candidate("mobilenet_v2", 160, 0.3),
        Candidate("squeezenet1_1", 160),
        Candidate("mobilenet_v2", 224),
    ]


def test_small_pictures_and_a_single_network_leave_only_the_rate() -> None:
    assert others(Candidate("mobilenet_v2", 112), ["mobilenet_v2"], [112]) == [
        Candidate("mobilenet_v2", 112, 0.3)
    ]


def test_a_network_that_takes_another_size_alone_is_passed_over() -> None:
    networks = ["mobilenet_v2", "vit_b_16", "resnet18"]
    assert others(DONE, networks, [160])[1] == Candidate("resnet18", 160)
    assert others(replace(DONE, size=224), networks, [224])[1] == Candidate("vit_b_16", 224)


def test_after_a_slow_one_the_usual_rate_is_tried() -> None:
    assert others(replace(DONE, rate=0.3), [], [160])[0].rate == 1.0


def test_a_round_costs_by_the_network_and_the_square_of_the_size() -> None:
    same = PACE.seconds(DONE, 4, read=False)
    assert same == OVERHEAD + 40
    assert PACE.seconds(Candidate("mobilenet_v2", 320), 4, read=False) == pytest.approx(OVERHEAD + 160)
    assert PACE.seconds(Candidate("squeezenet1_1", 160), 4, read=False) < same
    assert PACE.seconds(DONE, 4, read=True) > same
    assert replace(PACE, overhead=90.0).seconds(DONE, 4, read=False) == 130


def test_only_so_many_get_a_slice_that_one_can_go_on_afterwards() -> None:
    wanted = [
        Candidate("mobilenet_v2", 160, 0.3),
        Candidate("squeezenet1_1", 160),
        Candidate("mobilenet_v2", 224),
    ]
    assert first_rung(wanted, PACE, 3600) == wanted
    one = PACE.seconds(wanted[0], ROUNDS, read=False) + PACE.seconds(wanted[0], LEAST_EPOCHS, read=False)
    assert first_rung(wanted, PACE, one) == wanted[:1]
    assert first_rung(wanted, PACE, one - 1) == []
    assert first_rung([], PACE, 3600) == []


def test_the_pace_is_the_middle_of_the_rounds() -> None:
    assert pace_of([{"seconds": each} for each in (5.0, 9.0, 13.0, 40.0)]) == 4.0
    assert pace_of([{"seconds": 5.0}]) is None
