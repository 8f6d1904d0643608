"""Whether an error says that memory ran out."""

from __future__ import annotations

import errno

WORDS = ("allocate memory", "out of memory", "bad_alloc", "start new thread", "failed to map segment")


def ran_out_of_memory(error: Exception) -> bool:
    """torch says it in a RuntimeError, in these words, for the processor and for graphics cards.

    The system says it in an OSError, and while a library is loaded in an ImportError.
    """
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    return isinstance(error, MemoryError) or any(words in str(error) for words in WORDS)
