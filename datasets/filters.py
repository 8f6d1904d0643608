"""What a data set's pictures can be filtered and ordered by: a filter that a link, a form or JSON can carry."""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from typing import Any, Literal, get_args
from urllib.parse import urlencode

from django.utils.translation import gettext_noop

from web.sentences import Refusal

State = Literal["", "unlabelled", "labelled", "suggested", "skipped", "trashed"]
Order = Literal[
    "id", "-id", "file", "-file", "bytes", "-bytes", "width", "-width", "height", "-height",
    "confidence", "-confidence", "margin", "-margin", "cluster", "-cluster", "similar",
]  # fmt: skip
STATES, ORDERS = get_args(State), get_args(Order)
OF_SUGGESTIONS = ("confidence", "margin")
LONGEST, LARGEST = 255, 2**31 - 1
UNITS = {"": 1, "b": 1, "k": 1024, "m": 1024**2}


class BadFilter(Refusal):
    """A filter that says nothing we know."""

    code = "bad-filter"
    status = 422


@dataclass(frozen=True)
class Filter:
    """What `GET /datasets/{id}/images` and the bench filter by; all of it holds together, empty means all.

    `label` is a label's name (or its number; of suggestions, the suggested one), `source` an import's number;
    `state` `trashed` shows the trash, `skipped` what somebody was not sure of; `uploader` and `tagger` are names of
    users, the tagger's being who set the label that a picture has; `since` and `until` are the days of the upload,
    both included; brightness and sharpness are those of datasets.looks; `like` is the number of a picture whose
    look-alikes are meant.
    """

    label: str = ""
    state: State = ""
    source: int | None = None
    uploader: str = ""
    tagger: str = ""
    name: str = ""
    since: date | None = None
    until: date | None = None
    min_width: int | None = None
    max_width: int | None = None
    min_height: int | None = None
    max_height: int | None = None
    min_bytes: int | None = None
    max_bytes: int | None = None
    min_brightness: int | None = None
    max_brightness: int | None = None
    min_sharpness: int | None = None
    max_sharpness: int | None = None
    confidence_below: float | None = None
    like: int | None = None
    order: Order = "id"

    @classmethod
    def from_params(cls, params: Mapping[str, Any], *, strict: bool = False) -> "Filter":
        """From a query string or JSON; the keys are those of the fields, but `import` for `source`.

        Unknown keys are left alone, or refused where `strict`: what is to be acted on must be understood wholly.
        Raises BadFilter.
        """
        unknown = [key for key in params if key not in READERS] if strict else []
        if unknown:
            raise BadFilter(gettext_noop("“%(key)s” is nothing to filter by."), key=str(unknown[0])[:40])
        found = {
            FIELD.get(key, key): read(params[key]) for key, read in READERS.items() if said(params.get(key))
        }
        if "like" in found:
            found.setdefault("order", "similar")
        return cls(**found).checked()

    def checked(self) -> "Filter":
        """Itself, unless it contradicts itself. Raises BadFilter."""
        suggested = self.state == "suggested"
        if self.by_confidence and not suggested:
            raise BadFilter(gettext_noop("Only suggestions are ordered by confidence."))
        if self.confidence_below is not None and not suggested:
            raise BadFilter(gettext_noop("Only suggestions are filtered by confidence."))
        if self.order == "similar" and self.like is None:
            raise BadFilter(gettext_noop("Pictures are ordered by likeness where a picture is named."))
        return self

    def params(self) -> dict[str, str]:
        """The keys that are set, as `from_params` reads them."""
        found = {KEY.get(each.name, each.name): getattr(self, each.name) for each in fields(self)}
        if self.order == ("id" if self.like is None else "similar"):
            del found["order"]
        return {key: str(value) for key, value in found.items() if said(value)}

    def query(self, **changes: Any) -> str:
        """As a query string, perhaps with something changed: `filter.query(label="狗")`."""
        return urlencode(replace(self, **changes).params())

    @property
    def field(self) -> str:
        """The column that the order sorts by, with `-` downwards; ties go by id the same way."""
        return "id" if self.order == "similar" else self.order.replace("file", "name")

    @property
    def by_confidence(self) -> bool:
        """Whether the order is one that only suggestions have."""
        return self.order.lstrip("-") in OF_SUGGESTIONS

    def to_json(self) -> dict[str, Any]:
        """What a job's payload keeps."""
        return asdict(self)


def said(value: Any) -> bool:
    """Whether a key says anything; 0 does."""
    return value is not None and value != ""


def _state(value: Any) -> str:
    if value not in STATES:
        raise BadFilter(gettext_noop("“%(value)s” is not a state to filter by."), value=str(value)[:40])
    return str(value)


def _order(value: Any) -> str:
    if value not in ORDERS:
        raise BadFilter(gettext_noop("“%(value)s” is not an order."), value=str(value)[:40])
    return str(value)


def _text(value: Any) -> str:
    text = str(value).strip()
    if len(text) > LONGEST or "\x00" in text or not text.isprintable():
        raise BadFilter(
            gettext_noop("A text to filter by has at most 255 characters, all of them printable.")
        )
    return text


def _import(value: Any) -> int:
    if not (str(value).isdecimal() and len(str(value)) < 19):
        raise BadFilter(gettext_noop("An import is named by its number."))
    return int(value)


def _picture(value: Any) -> int:
    if not (str(value).isdecimal() and len(str(value)) < 19):
        raise BadFilter(gettext_noop("A picture to compare with is named by its number."))
    return int(value)


def _number(value: Any) -> int:
    found = re.fullmatch(r"(\d{1,10}) ?(?:([km]?)b?)", str(value).strip().lower(), re.ASCII)
    if not found:
        raise BadFilter(gettext_noop("“%(value)s” is not a size to filter by."), value=str(value)[:40])
    return min(int(found[1]) * UNITS[found[2]], LARGEST)


def _day(value: Any) -> date:
    try:
        return value if isinstance(value, date) else date.fromisoformat(str(value).strip())
    except ValueError as error:
        raise BadFilter(
            gettext_noop("“%(value)s” is not a day such as 2026-11-22."), value=str(value)[:40]
        ) from error


def _fraction(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1.0
    if not 0 <= number <= 1:
        raise BadFilter(gettext_noop("How sure suggestions must be is a number from 0 to 1."))
    return number


READERS: dict[str, Callable[[Any], Any]] = {
    "label": str,
    "state": _state,
    "import": _import,
    "uploader": _text,
    "tagger": _text,
    "name": _text,
    "since": _day,
    "until": _day,
    **{
        f"{end}_{side}": _number
        for side in ("width", "height", "bytes", "brightness", "sharpness")
        for end in ("min", "max")
    },
    "confidence_below": _fraction,
    "like": _picture,
    "order": _order,
}
FIELD = {"import": "source"}
KEY = {field: key for key, field in FIELD.items()}
