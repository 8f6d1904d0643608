"""How much sooner Taxon's first model is there than the usual recipe is as good: `make bench`.

The recipe (tests/benchmarks/usual_recipe.py) gets the same backbone, weights, pictures, split and cores, and may stop
at the first round after which it is as accurate on the held-back pictures. Both start a process of their own, which
counts. Nothing is asserted about time. TAXON_BENCH_SET: which set (caltech20, 1,175 pictures); TAXON_BENCH_SECONDS:
how long the recipe may take (300); TAXON_BENCH_THREADS: its threads (all cores; take 1 on a busy machine, where
threads that wait for one another use the processor up).
"""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.benchmarks.fit_measurement import named_pictures
from tests.benchmarks.outside import Owner, Took
from tests.product import ROOT, Product

NAME = os.environ.get("TAXON_BENCH_SET", "caltech20")
SECONDS = float(os.environ.get("TAXON_BENCH_SECONDS", "300"))
THREADS = os.environ.get("TAXON_BENCH_THREADS") or str(os.cpu_count())


@pytest.mark.slow
def test_a_first_model_against_the_usual_recipe(
    product: Product, shared_data: Path, weights_dir: Path, tmp_path: Path
) -> None:
    owner, pictures = Owner(product), dict(named_pictures(shared_data, NAME))
    ours, version, path = owner.train(owner.bring(pictures), fine_tuning="off")
    accuracy = version["metrics"]["accuracy"]["value"]
    items = owner.all(f"{path}/predictions")
    held_back = {f"{item['true']}/{item['file'].rpartition('/')[2]}" for item in items}
    assert len(held_back & set(pictures)) == len(items)
    for name, content in pictures.items():
        file = tmp_path / ("held_back" if name in held_back else "learn") / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    theirs, reached = recipe(tmp_path, weights_dir, accuracy)
    enough = reached and reached[-1] >= accuracy
    rounds = ", ".join(f"{100 * each:.1f}" for each in reached)
    print(
        f"\n{NAME}, {len(pictures):,} pictures, {len(held_back)} of them held back. First model: {ours},"
        f" {100 * accuracy:.1f} % right. The usual recipe: {theirs}, {'' if enough else 'not '}as good"
        f" after {len(reached)} rounds ({rounds} % right).\n"
        f"The recipe / the first model: {'' if enough else 'more than '}{theirs.over(ours)}"
    )


def recipe(folder: Path, weights: Path, aim: float) -> tuple[Took, list[float]]:
    """What it took, and how right it was after each round."""
    command = [sys.executable, "-m", "tests.benchmarks.usual_recipe", str(folder / "learn")]
    command += [str(folder / "held_back"), str(weights), str(aim), str(SECONDS), THREADS]
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    began, worked = time.perf_counter(), processor_time_of_children()
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    took = Took(time.perf_counter() - began, processor_time_of_children() - worked)
    return took, json.loads(done.stdout.splitlines()[-1])


def processor_time_of_children() -> float:
    """Of all that ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
