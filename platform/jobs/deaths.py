"""How a process ended, in words; and whether the kernel ended one for want of memory."""

import os
import signal
from pathlib import Path


def how_it_ended(status: int | None) -> str:
    """A wait() status in words."""
    if status is None:
        return "Its process ended, nobody saw how."
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return f"Its process was ended by signal {number} ({signal.Signals(number).name})."
    return f"Its process ended with code {os.waitstatus_to_exitcode(status)}."


def out_of_memory_kills() -> int:
    """How often the kernel killed for want of memory, in our control group or else on this machine; or 0."""
    for path, word in (*_control_group_files(), (Path("/proc/vmstat"), "oom_kill")):
        try:
            counts = dict(line.split()[:2] for line in path.read_text().splitlines())
        except (OSError, ValueError):
            continue
        if word in counts:
            return int(counts[word])
    return 0


def _control_group_files() -> list[tuple[Path, str]]:
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        _number, controllers, path = line.split(":", 2)
        if controllers == "":
            found.append((Path(f"/sys/fs/cgroup{path}/memory.events"), "oom_kill"))
        elif "memory" in controllers.split(","):
            found.append((Path(f"/sys/fs/cgroup/memory{path}/memory.oom_control"), "oom_kill"))
    return found
