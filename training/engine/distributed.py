"""One fine-tuning by several processes: `torchrun … -m training.engine.distributed SPEC.json`, on one machine or more.

Without torchrun, `python -m training.engine.distributed [--processes N] SPEC.json` starts N processes here (as many
as there are graphics cards), as the engine itself does where it finds several.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from training.engine import again
from training.engine.progress import hand_on_stdout, only_failures, take_over_stdout, tell
from training.engine.spec import BadSpec, read_spec

if TYPE_CHECKING:
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

SEVERAL = "TORCHELASTIC_RUN_ID"  # torchrun's sign that it started this process
RANK, LOCAL = "RANK", "LOCAL_WORLD_SIZE"  # its number among them; how many they are on this machine
REFUSED, INTERRUPTED, LOST = 3, 143, 4
LET_IT_BE_SEEN = 2.0  # seconds: whoever went first has the reason, and for that all others are ended
GONE = "A process of this training ended before the others; they were ended, too."


def main(arguments: list[str]) -> int:
    """One of several processes, where torchrun started this one; else what starts them. Exit 4: one was lost."""
    parser = argparse.ArgumentParser(prog="python -m training.engine.distributed")
    parser.add_argument("spec", type=Path)
    parser.add_argument("--processes", type=int)
    asked = parser.parse_args(arguments)
    if SEVERAL not in os.environ:
        return launched(asked.spec, asked.processes or cards() or 1)
    return one_of_them(asked.spec)


def is_first() -> bool:
    """Whether this process speaks and writes for all."""
    return int(os.environ.get(RANK, "0")) == 0


def cards() -> int:
    """Graphics cards that torch can see here."""
    import torch

    return int(torch.cuda.device_count())


def one_of_them(spec: Path) -> int:
    """The engine, speaking and writing only as the first of the processes."""
    take_over_stdout()
    if not is_first():
        only_failures()
    word = again.told(folder := folder_of(spec))
    from training.engine import ranks
    from training.engine.__main__ import main as engine

    try:
        code = engine([str(spec)])
        if code == REFUSED:
            os._exit(code)  # at once, before the others miss it
        return code
    except again.StartAgain as error:
        print(error, file=sys.stderr, flush=True)
        os._exit(again.AGAIN)  # the others wait in the midst of a step
    except RuntimeError as error:
        if not ranks.lost_one(error):
            raise
        time.sleep(LET_IT_BE_SEEN)
        if again.told(folder) == word:  # else all start again, with a smaller batch
            tell("failed", code="rank-lost", message=GONE)
        print(error, file=sys.stderr, flush=True)
        os._exit(LOST)  # whatever waits for the lost one at the end would wait in vain


def launched(spec: Path, processes: int) -> int:
    """Start so many processes on this machine, anew with smaller batches where memory did not suffice, and end as
    they do."""
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    hand_on_stdout()
    os.environ[again.LAUNCHED] = "1"
    folder = folder_of(spec)
    again.forget(folder)

    def launch() -> None:
        config = LaunchConfig(
            min_nodes=1,
            max_nodes=1,
            nproc_per_node=processes,
            run_id=uuid.uuid4().hex,
            rdzv_backend="c10d",
            rdzv_endpoint="localhost:0",
            local_addr="127.0.0.1",
            max_restarts=0,  # the training job tries again, from the last checkpoint
        )
        elastic_launch(config, sys.executable)("-m", "training.engine.distributed", str(spec))

    while True:
        before = again.word_in(folder)
        try:
            launch()
        except SignalException:
            tell("interrupted")
            return INTERRUPTED
        except ChildFailedError as error:
            if again.word_in(folder) != before:
                continue
            return end_of(error)
        return 0


def end_of(error: ChildFailedError) -> int:
    """The exit code after one of the processes failed."""
    if REFUSED in {failure.exitcode for failure in error.failures.values()}:
        return REFUSED  # one of them has said why
    print(error, file=sys.stderr)
    tell("failed", code="rank-lost", message=GONE)
    return LOST


def folder_of(spec: Path) -> Path:
    """The task's work folder; the spec's own where it cannot be read, which the engine will say."""
    try:
        return Path(read_spec(spec).work_folder)
    except BadSpec:
        return spec.parent


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
