"""`python -m training.engine SPEC.json`: one task, then the end. Exit 0 done, 3 refused, 143 interrupted."""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from training.engine import again
from training.engine.distributed import LOCAL, SEVERAL, cards, is_first, launched
from training.engine.memory import ran_out_of_memory
from training.engine.parent import die_with_parent
from training.engine.progress import finite, take_over_stdout, tell
from training.engine.refusals import EngineRefusal, Interrupted
from training.engine.spec import DISK_FULL, RESULT, BadSpec, ExtractorTask, FitTask, Task, read_spec

REFUSED, INTERRUPTED = 3, 128 + signal.SIGTERM
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def main(arguments: list[str]) -> int:
    """Carry out the task that the named file describes."""
    started = time.monotonic()
    take_over_stdout()
    try:
        if len(arguments) != 1:
            raise BadSpec("Usage: python -m training.engine SPEC.json")
        task = read_spec(Path(arguments[0]))
        if task.die_with_parent:
            die_with_parent()
        started -= again.seconds_before(Path(task.work_folder))
        tell("stage", stage="loading")
        _limit_threads(task.threads)
        handed_on = _by_others(task, Path(arguments[0]))
        if handed_on is not None:
            return handed_on
        result = _result_of(task, started)
    except (EngineRefusal, BadSpec) as refusal:
        tell("failed", code=getattr(refusal, "code", "bad-spec"), message=str(refusal))
        return REFUSED
    except Interrupted:
        tell(
            "interrupted"
        )  # no failure: whoever asked may ask again, and the fit goes on from its checkpoint
        return INTERRUPTED
    except (MemoryError, RuntimeError, OSError, ImportError) as error:
        if isinstance(error, OSError) and error.errno in FULL:  # its traceback would find no room either
            tell("failed", code=DISK_FULL, message="The disk is full.")
            return REFUSED
        if not ran_out_of_memory(error):
            raise
        tell("failed", code="out-of-memory", message="There was not enough memory for this training.")
        return REFUSED
    if not result:
        return 0  # the first of several processes has it
    result["seconds"] = round(time.monotonic() - started, 3)
    _write(Path(task.work_folder) / RESULT, result)
    tell("done", **{key: value for key, value in result.items() if key != "history"})
    return 0


def _result_of(task: Task, started: float) -> dict[str, Any]:
    Path(task.work_folder).mkdir(parents=True, exist_ok=True)
    if isinstance(task, ExtractorTask):
        from training.engine.extractor import build_extractor

        return build_extractor(task)
    from training.engine.fit import fit

    return fit(task, started)


def _by_others(task: Task, spec: Path) -> int | None:
    """The exit code where it is not for this process to carry out the task; fine-tuning alone is shared out."""
    shared = isinstance(task, FitTask) and task.backbone is not None
    if SEVERAL in os.environ:
        return 0 if not shared and not is_first() else None
    if not shared:
        return None
    found = cards()
    return launched(spec, found) if found > 1 else None


def _limit_threads(threads: int) -> None:
    if SEVERAL in os.environ:
        threads = max(1, threads // int(os.environ[LOCAL]))
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(threads)
    import torch

    torch.set_num_threads(threads)


def _write(path: Path, result: dict[str, Any]) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(finite(result), ensure_ascii=False, indent=1), "utf-8")
    part.replace(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
