"""Several processes that ran out of memory start again with fewer pictures at a time; what they need to know of it.

The one that found no memory cannot tell the others, which wait for it in the midst of a step: it leaves a line in the
work folder and ends, all are ended and started anew, and each start reads the line.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "again.json"
AGAIN = 5  # exit code
LAUNCHED = "TAXON_LAUNCHED"


@dataclass(frozen=True)
class Start:
    """`batch`: pictures at a time, of all processes together; `before`: as many were too many. `began`: of the first
    start (time.time), as the time limit counts from there."""

    batch: int
    before: int
    began: float


class StartAgain(Exception):
    """Ends this process with the exit code AGAIN; the line in the work folder says how to go on."""


def will_start_again() -> bool:
    """Whether our launcher started this process, and so does it once more. torchrun by hand does not: its restarts meet
    at the store of the first start, with what that left there."""
    return LAUNCHED in os.environ


def leave_word(folder: Path, start: Start) -> None:
    """For the next start; in one piece, as two processes may do it at once."""
    part = folder / f"{FILE}.{os.getpid()}.part"
    part.write_text(json.dumps(asdict(start)), "utf-8")
    part.replace(folder / FILE)


def word_in(folder: Path) -> Start | None:
    """What an earlier start of this very run left; None where there is nothing."""
    try:
        return Start(**json.loads((folder / FILE).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def told(folder: Path) -> Start | None:
    """What this process has to heed."""
    return word_in(folder) if will_start_again() else None


def seconds_before(folder: Path) -> float:
    """What earlier starts took of the time limit."""
    found = told(folder)
    return max(0.0, time.time() - found.began) if found else 0.0


def forget(folder: Path) -> None:
    """A run begins."""
    (folder / FILE).unlink(missing_ok=True)
