"""Each string that a person can see has its Simplified Chinese, whole and with the same places to fill."""

import re
from collections.abc import Iterator
from functools import cache
from io import BytesIO

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.pofile import read_po
from django.utils.translation.template import templatize

from config.env import ROOT

ANEW = "run `make messages` and fill in what is new"
CATALOG = ROOT / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
FLOORS = ("platform", "datasets", "training", "serving")
KEYWORDS = DEFAULT_KEYWORDS | {
    f"{name}_{kind}": places
    for kind in ("lazy", "noop")
    for name, places in DEFAULT_KEYWORDS.items()
    if name.endswith("gettext")
}
PLACES = re.compile(r"%%|%\(\w+\)[#0 +.\d-]*[a-z]|\{\w*\}|</?\w+>")
ENGLISH = re.compile(r"[a-z]{2,}(?: [a-z]{2,}){2,}")
SENTENCE_END = re.compile(r"(?<=[\u4e00-\u9fff])[,.;:!?](?=\s|$|[\u4e00-\u9fff])")
Key = tuple[str | None, str]


def written(catalog: Catalog) -> dict[Key, Message]:
    """The catalogue's messages by context and first form."""
    return {key(message.context, message.id): message for message in catalog if message.id}


def key(context: str | None, forms: object) -> Key:
    """A message as gettext looks it up."""
    first = forms[0] if isinstance(forms, (tuple, list)) else forms
    return context, str(first)


@cache
def chinese() -> Catalog:
    """The file as it is kept, obsolete entries aside."""
    with CATALOG.open("rb") as file:
        return read_po(file, locale="zh_Hans", abort_invalid=True)


def python_of_templates() -> Iterator[tuple[str, str]]:
    """Each template as the Python-like text that Django hands to xgettext, without its indents."""
    for path in sorted((ROOT / "templates").rglob("*.html")):
        text = templatize(path.read_text(encoding="utf-8"), origin=str(path))
        yield str(path.relative_to(ROOT)), "\n".join(line.strip() for line in text.splitlines())


def python() -> Iterator[tuple[str, str]]:
    """Our Python files, migrations aside."""
    for floor in FLOORS:
        for path in sorted((ROOT / floor).rglob("*.py")):
            if "migrations" not in path.parts:
                yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def used() -> dict[Key, str]:
    """Every marked string of the source, with a file that it stands in."""
    found: dict[Key, str] = {}
    for sources in (python(), python_of_templates()):
        for path, text in sources:
            for _line, forms, _comments, context in extract(
                "python", BytesIO(text.encode()), keywords=KEYWORDS, options={"encoding": "utf-8"}
            ):
                found.setdefault(key(context, forms), path)
    return {each: path for each, path in found.items() if each[1]}


def forms(message: Message) -> tuple[str, ...]:
    """What stands on the Chinese side."""
    return (message.string,) if isinstance(message.string, str) else tuple(message.string)


def places(text: str) -> list[str]:
    """What is filled in or marked up: %(name)s, {name}, %%, <strong>."""
    return sorted(PLACES.findall(text))


def test_every_marked_string_is_in_the_catalogue() -> None:
    have = written(chinese())
    missing = sorted(f"{path}: {each[1]}" for each, path in used().items() if each not in have)
    assert not missing, f"{ANEW}:\n" + "\n".join(missing)


def test_the_marked_strings_of_every_room_are_seen() -> None:
    """Were the extraction blind to a kind of file, the test above would pass for nothing."""
    seen = {path.split("/")[0] for path in used().values()}
    assert seen == {*FLOORS, "templates"}


def test_every_message_is_translated_and_none_is_a_guess() -> None:
    catalog = chinese()
    assert not catalog.fuzzy, "a catalogue whose header is fuzzy is not compiled"
    messages = written(catalog).values()
    left = sorted(str(each.id) for each in messages if each.fuzzy or not all(forms(each)))
    assert not left, f"{ANEW}:\n" + "\n".join(left)


def test_every_translation_fills_in_what_the_message_does() -> None:
    wrong = [
        f"{message.id} -> {text}"
        for message in written(chinese()).values()
        for text in forms(message)
        if text and places(text) != places(message.id if isinstance(message.id, str) else message.id[-1])
    ]
    assert not wrong, "\n".join(wrong)


def test_the_compiler_has_nothing_to_say_against_the_catalogue() -> None:
    catalog = chinese()
    assert [f"{message.id}: {error}" for message in catalog for error in message.check(catalog)] == []


def test_chinese_sentences_have_chinese_punctuation_and_no_english_left() -> None:
    wrong = [
        text
        for message in written(chinese()).values()
        for text in forms(message)
        if SENTENCE_END.search(text) or ENGLISH.search(text)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%(a)s of {b}", ["%(a)s", "{b}"]),
        ("%(x)g MB, 5 %%", ["%%", "%(x)g"]),
        ("<b>none</b>", ["<b>", "</b>"]),
    ],
)
def test_places_are_found(text: str, expected: list[str]) -> None:
    assert places(text) == sorted(expected)
