"""Label names that a person would call the same: apart only in case, spaces, underscores or width of letters."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping

_SPACES = re.compile(r"[\s_]+")
_EAST_ASIAN = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
_SPACE_BESIDE_EAST_ASIAN = re.compile(f"(?<=[{_EAST_ASIAN}]) | (?=[{_EAST_ASIAN}])")


def folded(name: str) -> str:
    """What look-alikes have in common: NFKC, case folded, spaces as one (none beside East Asian letters)."""
    visible = "".join(char for char in name if unicodedata.category(char) != "Cf")
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", visible).casefold())
    return _SPACE_BESIDE_EAST_ASIAN.sub("", _SPACES.sub(" ", plain).strip())


def merged(names: Mapping[str, int], existing: Mapping[str, int]) -> dict[str, str]:
    """For each new name that looks like another: the one proposed for both. Values: pictures of each.

    A name that exists already stays itself; a new one goes to the look-alike that exists, else to the one with
    most pictures.
    """
    alike = defaultdict[str, dict[str, tuple[bool, int]]](dict)
    for name, count in names.items():
        alike[folded(name)][name] = (False, count)
    for name, count in existing.items():
        if folded(name) in alike:
            alike[folded(name)][name] = (True, count)
    found: dict[str, str] = {}
    for group in alike.values():
        best = max(group, key=group.__getitem__)
        found |= {name: best for name in group if name != best and name not in existing}
    return found
