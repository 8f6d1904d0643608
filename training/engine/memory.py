"""Whether an error says that memory ran out."""

from __future__ import annotations


def ran_out_of_memory(error: Exception) -> bool:
    """torch says it in a RuntimeError, in these words, for the processor and for graphics cards."""
    return isinstance(error, MemoryError) or "allocate memory" in str(error) or "out of memory" in str(error)
