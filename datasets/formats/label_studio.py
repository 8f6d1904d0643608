"""Label Studio's export, JSON and JSON-MIN, with one choice a picture. https://labelstud.io/guide/export"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlparse

from datasets.formats.documents import Document, Said, split_of

KEYS = ("image", "img", "photo", "picture", "url")
UPLOADED = re.compile(r"^(.*/)?[0-9a-f]{8}-")  # Label Studio puts this before an uploaded file's name


def read(document: Document) -> list[Said] | None:
    """What the tasks say."""
    objects = document.objects
    if not objects or not is_task(objects[0][1]):
        return None
    return [said(number, each) for number, each in objects]


def is_task(each: Mapping[str, Any]) -> bool:
    """A task of the full export, or of the short one."""
    full = isinstance(each.get("data"), dict) and ("annotations" in each or "completions" in each)
    return full or ("annotator" in each and any(key in each for key in KEYS))


def said(number: int, each: Mapping[str, Any]) -> Said:
    """One task."""
    data = each["data"] if isinstance(each.get("data"), dict) else each
    address = next((data[key] for key in KEYS if isinstance(data.get(key), str)), "")
    if not address:
        return Said(number, "", problem="manifest-row")
    labels = sorted(set(choices(each)))
    if len(labels) > 1:
        return Said(number, file_in(address), problem="manifest-labels")
    return Said(number, file_in(address), labels[0] if labels else "", split_of(data.get("split")))


def file_in(address: str) -> str:
    """The file's path in `/data/upload/1/0a1b2c3d-cat.jpg` or `/data/local-files/?d=cats/1.jpg`."""
    parts = urlparse(address)
    inside = parse_qs(parts.query).get("d")
    if inside:
        return inside[0]
    if "/data/upload/" in parts.path:
        return UPLOADED.sub("", unquote(parts.path).rsplit("/", 1)[-1])
    return address


def choices(each: Mapping[str, Any]) -> list[str]:
    """The labels that people gave, in the annotations that count."""
    if isinstance(each.get("choice"), str):
        return [each["choice"]]
    found: list[str] = []
    for note in each.get("annotations") or each.get("completions") or []:
        if not isinstance(note, dict) or note.get("was_cancelled"):
            continue
        for result in note.get("result") or []:
            value = result.get("value") if isinstance(result, dict) else None
            given = value.get("choices") if isinstance(value, dict) else None
            found += [str(choice) for choice in given] if isinstance(given, list) else []
    return found
