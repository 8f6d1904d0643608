"""What the engine says while it works: one JSON object a line on the real stdout, and nothing else there."""

from __future__ import annotations

import json
import math
import os
import sys
from typing import Any, TextIO

_stream: TextIO | None = None
_silent = False


def take_over_stdout() -> None:
    """Keep the real stdout for `tell`; whatever libraries print, from C too, goes to stderr from now on."""
    global _stream  # noqa: PLW0603 - a process has one stdout
    if _stream is None:
        _stream = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
        os.dup2(2, 1)
        sys.stdout = sys.stderr


def hand_on_stdout() -> None:
    """Let the processes that this one starts write to the real stdout, too."""
    if _stream is not None:
        os.dup2(_stream.fileno(), 1)


def only_failures() -> None:
    """Say nothing but why it failed: another process says the rest."""
    global _silent  # noqa: PLW0603 - a process has one stdout
    _silent = True


def tell(event: str, **fields: Any) -> None:
    """Write one line; a reader that went away is no reason to fail."""
    if _silent and event != "failed":
        return
    line = json.dumps({"event": event, **finite(fields)}, ensure_ascii=False)
    try:
        print(line, file=_stream or sys.stdout, flush=True)
    except (BrokenPipeError, ValueError):
        return


def finite(value: Any) -> Any:
    """The same with null where a number is not finite: NaN is not JSON."""
    if isinstance(value, dict):
        return {key: finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [finite(each) for each in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value
