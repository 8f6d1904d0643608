"""Dying with the parent: a training whose worker was killed must not go on writing as an orphan."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

_PR_SET_PDEATHSIG = 1


def die_with_parent(poll_seconds: float = 2.0) -> None:
    """End this process when the one that started it ends.

    On Linux the kernel sends SIGKILL at once (prctl(2), PR_SET_PDEATHSIG). Everywhere a thread also looks
    every `poll_seconds`: the kernel's signal follows the parent *thread*, and other systems have none.
    """
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if parent == 1:
        return  # started by init itself (a container's first process): it cannot die before us
    threading.Thread(target=_watch, args=(parent, poll_seconds), name="parent", daemon=True).start()


def _watch(parent: int, poll_seconds: float) -> None:
    while os.getppid() == parent:
        time.sleep(poll_seconds)
    os._exit(137)
