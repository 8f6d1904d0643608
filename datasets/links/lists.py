"""Lists of links as people have them: a column of links, `url,label`, Google's `[SET,]uri,label`, JSON."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from django.utils.translation import gettext_noop

from datasets.archive_names import shown
from datasets.formats import said_by
from datasets.formats.documents import Document, Said, is_link, split_of
from datasets.formats.google import SETS
from web.sentences import Refusal

MOST_LINKS = 100_000
FIRST_ROWS = {
    "url",
    "uri",
    "link",
    "image",
    "image_url",
    "image_uri",
    "path",
    "file",
    "address",
    "链接",
    "网址",
}
LABELS = {"label", "class", "category", "tag", "标签"}
SPLITS = {"split", "set", "subset", "usage"}


class NoLinks(Refusal):
    """Nothing in it is a link."""

    code = "no-links"
    status = 422


class TooManyLinks(Refusal):
    """More than one import fetches."""

    code = "too-many-links"
    status = 413


def holds_links(name: str, content: bytes) -> bool:
    """Whether a file is a list of links, and nothing else that is known here."""
    try:
        return bool(links_in(name, content))
    except NoLinks:
        return False


def links_in(name: str, content: bytes) -> list[Said]:
    """What the list says, row by row; rows that cannot be read come with their problem. Raises NoLinks."""
    document = Document(name, content)
    rows = document.table
    if not any(is_link(cell) for _, row in rows[:50] for cell in row[:2]):
        said = said_by(name, content) or []  # JSON of one of the formats
        if not any(is_link(each.path) for each in said):
            raise NoLinks(gettext_noop("There is no link in it: write one a row, such as https://…,label"))
        return said
    url, label, split = 0, 1, 2
    first = [cell.lower() for cell in rows[0][1]]
    if not any(map(is_link, first)):
        rows = rows[1:]
        url, label, split = (place(first, names, at) for at, names in enumerate((FIRST_ROWS, LABELS, SPLITS)))
    return [said_in(number, row, url, label, split) for number, row in rows]


def place(first: Sequence[str], names: Iterable[str], otherwise: int) -> int:
    """Where the first row names a column."""
    found = next((at for at, cell in enumerate(first) if cell in names), None)
    if found is not None:
        return found
    return (
        otherwise if len(first) <= otherwise or first[otherwise] not in FIRST_ROWS | LABELS | SPLITS else 99
    )


def said_in(number: int, row: list[str], url: int, label: int, split: int) -> Said:
    """One row; Google's may begin with its side of the split."""
    wish = ""
    if url == 0 and row[0].upper() in SETS and len(row) > 1 and (row[0] or is_link(row[1])):
        wish, row, split = split_of(row[0]), row[1:], 99
    if url >= len(row) or not row[url]:
        return Said(number, "", problem="link-bad")
    name = row[label] if label < len(row) else ""
    return Said(number, row[url], name, wish or (split_of(row[split]) if split < len(row) else ""))


def given(links: Iterable[tuple[str, str]]) -> list[Said]:
    """Links and labels from JSON."""
    return [Said(number, url, label) for number, (url, label) in enumerate(links, 1)]


def packed(said: Sequence[Said]) -> bytes:
    """To keep until they are fetched. Raises NoLinks, TooManyLinks."""
    if not said:
        raise NoLinks(gettext_noop("There is no link in it: write one a row, such as https://…,label"))
    if len(said) > MOST_LINKS:
        raise TooManyLinks(
            gettext_noop("A list may have at most %(most)s links. Split it into several."), most=MOST_LINKS
        )
    return json.dumps([asdict(each) for each in said], ensure_ascii=False).encode()


def unpacked(content: bytes) -> list[Said]:
    """Back."""
    return [Said(**each) for each in json.loads(content)]


def name_of(url: str) -> str:
    """What the picture's file is called: the link without what follows its path's last slash."""
    return shown(url.strip().rstrip("/"), 500)
