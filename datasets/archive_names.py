"""Which text the raw names of a zip stand for, decided once for the whole archive, and what the text says.

Most zips made on Chinese Windows hold GBK without a mark. Trying UTF-8 name by name reads some
of them wrongly (the GBK bytes of 猫 are the UTF-8 bytes of è), so all names are weighed together.
"""

import struct
import unicodedata
import zlib
from collections.abc import Iterable, Sequence
from functools import lru_cache

from datasets.reasons import NotAccepted
from datasets.zipformat import Entry, extra_field

ENCODINGS = ("utf-8", "gbk", "big5", "shift_jis", "euc_kr", "cp437")
# What Windows writes under those names, and a little more.
DECODERS = {"gbk": "gb18030", "big5": "cp950", "shift_jis": "cp932", "euc_kr": "cp949"}
SURE, AHEAD, HARDLY = 0.75, 0.1, 0.5  # how much names must look like words, and more than any rival
UTF8_SAYS = 4  # letters from which on valid UTF-8 is no chance
KOREAN_SAYS = 6  # letters from which on Korean is no chance: it shares most of its codes with GBK
LITTER_FOLDERS = {"__macosx", "@eadir", ".spotlight-v100", ".trashes"}
LITTER_FILES = {".ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini", ".directory", "icon\r"}


def encoding_of(names: Sequence[bytes]) -> str:
    """The encoding of names without a mark: the one in which all can be read and look like words."""
    foreign = foreign_among(names)
    if not foreign:
        return "utf-8"
    worth = {each: _plausibility(text) for each, text in _readable(foreign, ENCODINGS[:-1]).items()}
    likely = {each: worth[each] for each in ("utf-8", "gbk") if each in worth}
    others = {each: value for each, value in worth.items() if each not in likely}
    if max(likely.values(), default=0) < HARDLY and max(others.values(), default=0) >= SURE:
        return max(others, key=others.__getitem__)
    if not likely:
        # Packed on several machines: where many names are UTF-8 it is that, and the others are read on their own.
        return "utf-8" if 2 * sum(map(_is_utf8, foreign)) >= len(foreign) else "cp437"
    # max() keeps the first of equals: UTF-8.
    return max(likely, key=likely.__getitem__)


def _readable(names: Sequence[bytes], encodings: Iterable[str]) -> dict[str, list[str]]:
    """The names in each encoding in which all of them can be read."""
    return {each: text for each in encodings if (text := _all_decoded(names, each)) is not None}


def is_sure(names: Sequence[bytes], decided: str) -> bool:
    """Whether nobody need be asked how the names are meant."""
    foreign = foreign_among(names)
    if not foreign:
        return True
    read = _readable(foreign, ENCODINGS)
    if decided not in read:
        return False
    letters = {each: sum(not char.isascii() for char in "".join(text)) for each, text in read.items()}
    if decided == "utf-8" and letters["utf-8"] >= UTF8_SAYS:
        return True
    if letters.get("euc_kr", 0) < KOREAN_SAYS:
        read.pop("euc_kr", None)
    if decided != "cp437":
        del read["cp437"]  # in which anything can be read
    worth = {each: _plausibility(text) for each, text in read.items()}
    own = worth.pop(decided)
    return own >= SURE and all(own >= other + AHEAD for other in worth.values())


def readings(names: Sequence[bytes], most: int = 10) -> dict[str, list[str]]:
    """Some of the names in every encoding in which all can be read: for a person to see which is meant."""
    foreign = foreign_among(names)
    some = list({_folder(name): name for name in reversed(foreign)}.values())[::-1] or foreign
    some = (some + [name for name in foreign if name not in some[:most]])[:most]
    found: dict[str, list[str]] = {}
    for encoding in ENCODINGS:
        mixed = encoding == "utf-8" and any(map(_is_utf8, foreign))
        if mixed or _all_decoded(foreign, encoding) is not None:
            found[encoding] = [shown(decoded(name, encoding), 80) for name in some]
    return found


def foreign_among(names: Sequence[bytes]) -> list[bytes]:
    """Those that say nothing without an encoding."""
    return [name for name in names if not name.isascii()]


def _folder(name: bytes) -> bytes:
    return name.replace(b"\\", b"/").rpartition(b"/")[0]


def _is_utf8(name: bytes) -> bool:
    return _all_decoded([name], "utf-8") is not None


def _all_decoded(names: Iterable[bytes], encoding: str) -> list[str] | None:
    try:
        return [name.decode(DECODERS.get(encoding, encoding)) for name in names]
    except UnicodeDecodeError:
        return None


def _plausibility(names: Iterable[str]) -> float:
    """How much the letters beyond ASCII look like words, from 0 to 1."""
    words = {word for name in names for word in _words(name) if not word.isascii()}
    weights = [
        (sum(map(_worth, word)) * _harmony(word), sum(not c.isascii() for c in word)) for word in words
    ]
    letters = sum(count for _, count in weights)
    return sum(weight for weight, _ in weights) / letters if letters else 0.0


def _words(name: str) -> list[str]:
    return "".join(char if char.isalpha() else " " for char in name).split()


@lru_cache(maxsize=65_536)
def _worth(char: str) -> float:
    """1 for a letter in daily use, less for one that hardly anybody writes; ASCII says nothing."""
    if char.isascii():
        return 0.0
    if "\uff61" <= char <= "\uff9f":
        return 0.3  # half-width kana, which nobody types into names
    if _script(char) != "CJK":
        return 1.0 if char <= "\u024f" or "\u0370" <= char <= "\u052f" or char > "\u05ff" else 0.0
    # The first levels of the two standards hold the 3,755 and the 5,401 most used
    if 0xB0 <= _lead(char, "gb2312") < 0xD8 or "\u3040" <= char <= "\u30ff":
        return 1.0
    if 0xA4 <= _lead(char, "big5") < 0xC7:
        return 0.9
    return 0.4 if _lead(char, "gb2312") else 0.3


def _lead(char: str, encoding: str) -> int:
    """The first byte; 0 where the encoding lacks the letter."""
    try:
        return char.encode(encoding)[0]
    except UnicodeEncodeError:
        return 0


@lru_cache(maxsize=65_536)
def _script(char: str) -> str:
    first = unicodedata.name(char, "?").split(" ")[0].split("-")[0]
    return "CJK" if first in ("CJK", "HIRAGANA", "KATAKANA", "IDEOGRAPHIC", "FULLWIDTH") else first


def _harmony(word: str) -> float:
    """A word is written in one script. Latin letters stand among others; alone they say little."""
    scripts = {_script(char) for char in word}
    if len(scripts) > 1:
        return 0.5 if scripts == {"CJK", "LATIN"} else 0.0
    return 0.4 if scripts != {"CJK"} and len(word) == 1 else 1.0


def text_of(entry: Entry, encoding: str) -> str:
    """The entry's name: by its Unicode extra field, by its UTF-8 flag, else by the archive's encoding."""
    told = _told(entry)
    if told:
        return decoded(told, "utf-8", encoding)
    return decoded(entry.raw_name, "utf-8" if entry.says_utf8 else encoding, encoding)


def says_nothing(entry: Entry) -> bool:
    """Whether the entry leaves open in which encoding its name is."""
    return not entry.says_utf8 and not _told(entry)


def _told(entry: Entry) -> bytes:
    """The name in the Unicode extra field, where it belongs to this very name."""
    field = extra_field(entry.extra, 0x7075)
    mine = len(field) > 5 and struct.unpack("<BL", field[:5]) == (1, zlib.crc32(entry.raw_name))
    return field[5:] if mine else b""


def decoded(raw: bytes, *encodings: str) -> str:
    """The text in the first of the encodings in which it can be read; else in GBK, else letter by letter."""
    for encoding in (*encodings, "gbk"):
        try:
            return unicodedata.normalize("NFC", raw.decode(DECODERS.get(encoding, encoding)))
        except UnicodeDecodeError:
            continue
    return unicodedata.normalize("NFC", raw.decode(DECODERS.get(encodings[-1], encodings[-1]), "replace"))


def parts_of(name: str) -> list[str]:
    """Folders and file of a name in an archive; some Windows tools write backslashes."""
    return [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]


def is_litter(parts: Sequence[str]) -> bool:
    """What operating systems leave behind; it is not counted."""
    folded = [part.casefold() for part in parts]
    return not folded or bool(
        LITTER_FOLDERS & set(folded[:-1]) or folded[-1] in LITTER_FILES or folded[-1].startswith("._")
    )


def refuse_unsafe(name: str, parts: Sequence[str]) -> None:
    """Names that would lead out of a folder. Nothing is written under them, but who packed them erred."""
    drive = len(parts[0]) == 2 and parts[0][1] == ":" and parts[0][0].isalpha()
    if name.startswith(("/", "\\")) or ".." in parts or drive:
        raise NotAccepted("unsafe-name")


def shown(name: str, most: int = 500) -> str:
    """A name fit to be kept and shown: no control characters, not too long, its end (the type) kept."""
    text = "".join("\ufffd" if unicodedata.category(char) in ("Cc", "Cs") else char for char in name)
    text = text.strip() or "\ufffd"
    return text if len(text) <= most else f"{text[: most - 21]}…{text[-20:]}"
