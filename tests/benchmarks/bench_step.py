"""What a step of fine-tuning costs beside the same step in a bare PyTorch loop: `make bench`.

Both take turns in one process with one thread: the real run, Lightning and all, is held up after each block of steps
while the bare loop does as many. Processor time counts, so other programs hardly matter. Nothing is asserted about it.
TAXON_BENCH_STEPS: steps a block (4); TAXON_BENCH_BLOCKS: blocks of each (8).
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import numpy as np
import pytest

STEPS, BLOCKS = int(os.environ.get("TAXON_BENCH_STEPS", "4")), int(os.environ.get("TAXON_BENCH_BLOCKS", "8"))
BACKBONE, LABELS, BATCH = "mobilenet_v2", 5, 32


@pytest.mark.slow
@pytest.mark.parametrize("size", [112, 224])
def test_a_step_of_fine_tuning_against_a_bare_loop(weights_dir: Path, tmp_path: Path, size: int) -> None:
    ours, bare = blocks_of_both(weights_dir, tmp_path, size)
    ratios = [a / b for a, b in zip(ours, bare, strict=True)]
    steps = [1000 * median(each) / STEPS for each in (ours, bare)]
    print(
        f"\nA step of fine-tuning, {size} pixels, batch {BATCH} / the same in a bare loop: {median(ratios):.3f} ×"
        f" ({min(ratios):.3f} to {max(ratios):.3f}); {steps[0]:.0f} and {steps[1]:.0f} ms of processor time;"
        f" {len(ours)} blocks of {STEPS} steps"
    )


def blocks_of_both(weights: Path, folder: Path, size: int) -> tuple[list[float], list[float]]:
    """Seconds of processor time of each block: in the engine, in the bare loop."""
    import torch

    from training.engine import loop, tune
    from training.engine.data import read_parts

    torch.set_num_threads(1)
    task = task_for(weights, folder, size)
    train, validation = read_parts(task)
    never = time.monotonic() + 3600
    module = tune.new_network(task, train, time.monotonic(), deadline=never, batch=BATCH)
    other = bare_steps(tune.new_network(task, train, 0.0, deadline=never, batch=BATCH), train)
    ours, bare, since, steps = [], [], 0.0, 0

    def after_a_step(*_: object) -> None:
        nonlocal since, steps
        steps += 1
        if steps % STEPS == 0:
            now = time.process_time()
            for _step in range(STEPS):
                next(other)
            if steps > STEPS:  # the first block warms up
                ours.append(now - since)
                bare.append(time.process_time() - now)
            since = time.process_time()

    module.on_train_batch_end = after_a_step
    loop.run(module, train, validation, tune.plan(task, never, BATCH))
    return ours, bare


def bare_steps(module, train) -> Iterator[None]:  # type: ignore[no-untyped-def]
    """One step each time it is asked: the same network, pictures, augmentation and optimiser, and nothing else."""
    import torch
    from torch.nn import functional

    from training.engine.augment import varied

    optimiser = module.configure_optimizers()["optimizer"]
    pixels, targets = train.inputs, train.targets
    random, network = np.random.default_rng(0), module.network
    while True:
        order = random.permutation(len(train))
        for at in range(0, len(order), BATCH):
            chosen = order[at : at + BATCH]
            inputs = torch.from_numpy(pixels[train.rows[chosen]])
            logits, _ = network(varied(inputs, module.size, module.random))
            loss = functional.cross_entropy(logits, targets[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            yield


def task_for(weights: Path, folder: Path, size: int):  # type: ignore[no-untyped-def]
    """One round of as many batches as are measured; the pictures are noise, which costs the same."""
    from training.engine.spec import TRAIN, VALIDATION, FitTask
    from training.tuning import ROOM

    learnt, side = BATCH * STEPS * (BLOCKS + 1), round(ROOM * size)
    count, random = learnt + 10, np.random.default_rng(0)
    split = np.full(count, TRAIN, np.uint8)
    split[learnt:] = VALIDATION
    arrays = {
        "pixels": random.integers(0, 256, (count, side, side, 3), dtype=np.uint8),
        "targets": np.arange(count) % LABELS,
        "split": split,
    }
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    return FitTask(
        work_folder=str(folder),
        labels=[f"label {n}" for n in range(LABELS)],
        pixel_spec={"size": size},
        backbone=BACKBONE,
        weights_folder=str(weights),
        max_epochs=1,
        checkpoint_folder=str(folder / "checkpoints"),
        **{name: str(folder / f"{name}.npy") for name in arrays},
    )
