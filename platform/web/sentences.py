"""Sentences for people: kept in the database as text and values, spoken in the reader's language."""

from typing import Any

from django.utils.translation import gettext


class Sentence:
    """A translatable text with values. Mark the text with `gettext_noop` where it is written.

    `str()` gives it in the active language; `to_json()` / `from_json()` keep it in a JSON column.
    """

    def __init__(self, text: str, **values: Any) -> None:
        self.text, self.values = text, values

    def __str__(self) -> str:
        if not self.text:
            return ""
        translated = gettext(self.text)
        return translated % self.values if self.values else translated

    def to_json(self) -> dict[str, Any]:
        """What a JSON column keeps."""
        return {"text": self.text, "values": self.values}

    @classmethod
    def from_json(cls, kept: dict[str, Any] | None) -> "Sentence":
        """Back from the column; nothing kept is an empty sentence."""
        kept = kept or {}
        return cls(kept.get("text", ""), **kept.get("values", {}))


class Refusal(Exception):
    """Something a person asked for that cannot be done, with the sentence to tell them.

    Subclasses live beside what raises them and name a stable `code`; the API answers `status` with a
    problem document, a job ends as failed (not errored), a view shows the sentence.
    """

    code = "refused"
    status = 400
    retry_after: int | None = None  # seconds, for a refusal that passes by itself

    def __init__(self, text: str, **values: Any) -> None:
        super().__init__(text)
        self.sentence = Sentence(text, **values)

    def __str__(self) -> str:
        return str(self.sentence)


class Conflict(Refusal):
    """The request clashes with what is there."""

    code = "conflict"
    status = 409
