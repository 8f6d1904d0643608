"""How busy the machine is that trains: processor, memory, what the engine takes of it, a graphics card if any."""

import shutil
import subprocess
from contextlib import suppress
from typing import Any

import psutil  # type: ignore[import-untyped]

GB = 1024**3
ASKS = "utilization.gpu,memory.used,memory.total,name"
PATIENCE = 5.0


class Machine:
    """Looks at the machine of the process that made it; shares are of the time since the last look."""

    def __init__(self) -> None:
        self._nvidia = shutil.which("nvidia-smi")
        self._us = psutil.Process()
        psutil.cpu_percent(None)

    def look(self) -> dict[str, Any]:
        """Shares from 0 to 1, memory in bytes."""
        memory = psutil.virtual_memory()
        found: dict[str, Any] = {
            "cores": psutil.cpu_count() or 1,
            "processor": psutil.cpu_percent(None) / 100,
            "memory_used": memory.total - memory.available,
            "memory_total": memory.total,
            "ours": self._ours(),
        }
        return found | ({"cards": cards(self._nvidia)} if self._nvidia else {})

    def _ours(self) -> int:
        """Bytes that the training takes: the job's process and the engine below it."""
        total = 0
        for process in [self._us, *self._us.children(recursive=True)]:
            with suppress(psutil.Error):
                total += process.memory_info().rss
        return total


def cards(program: str) -> list[dict[str, Any]]:
    """What the driver's own program says of each graphics card; nothing where it fails."""
    command = [program, f"--query-gpu={ASKS}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(  # noqa: S603  (a fixed command line)
            command, capture_output=True, text=True, timeout=PATIENCE, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return [card for line in done.stdout.splitlines() if (card := card_in(line))]


def card_in(line: str) -> dict[str, Any] | None:
    """One line of it: `34, 1024, 143771, NVIDIA H200`; None where the driver cannot tell (`[N/A]`)."""
    parts = [part.strip() for part in line.split(",", 3)]
    if len(parts) < 4 or not all(part.isdecimal() for part in parts[:3]):
        return None
    busy, used, total = map(int, parts[:3])
    return {"name": parts[3], "busy": busy / 100, "used": used * 1024**2, "total": total * 1024**2}
