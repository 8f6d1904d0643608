"""Reading what callers send: JSON as RFC 8259 means it, and text that every database can keep."""

import json
import math
import re
from collections.abc import Iterable
from typing import Any, NoReturn

from django.utils.translation import gettext_noop

from web.sentences import Refusal

# PostgreSQL keeps no NUL; half a surrogate pair is no character and has no UTF-8.
NOT_TEXT = re.compile("[\x00\ud800-\udfff]")
NO_TEXT = gettext_noop("The request holds something that is neither text nor a number that can be kept.")


class Unreadable(Refusal):
    """A body or an address that holds something else than text and numbers."""

    code = "unreadable"


def read_json(raw: bytes) -> Any:
    """The value; raises Unreadable for what is not JSON in UTF-8, too deep, or holds what nothing can keep."""
    try:
        text = raw.decode("utf-8")
        value = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
        whole = "\\u" not in text or is_text(_strings_in(value))
    except (ValueError, RecursionError) as error:
        raise Unreadable(gettext_noop("The body is not valid JSON in UTF-8.")) from error
    if not whole:
        raise Unreadable(NO_TEXT)
    return value


def is_text(strings: Iterable[str]) -> bool:
    """Whether all of them can be kept as they are."""
    return not any(NOT_TEXT.search(each) for each in strings)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text} is beyond all numbers")
    return value


def _strings_in(value: Any) -> Iterable[str]:
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, dict):
            waiting += [*each, *each.values()]
        elif isinstance(each, list):
            waiting += each
