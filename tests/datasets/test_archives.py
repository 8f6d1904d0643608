"""Zips from strangers: names, passwords, links, bombs and damage."""

import zipfile
import zlib
from pathlib import Path

import pytest

from datasets.archive_names import encoding_of
from datasets.archives import Archive
from datasets.models import ImportState
from datasets.reasons import NotAccepted
from datasets.zipformat import NotAZip
from tests.datasets.makers import Work, begin, make_dataset, outcomes, picture, raw_zip, taken, zip_of
from tests.factories import Team


def opened(tmp_path: Path, content: bytes, encoding: str = "") -> Archive:
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    return Archive(path, encoding)


def codes(archive: Archive) -> dict[str, str]:
    found = {}
    for offered in archive.offered:
        try:
            offered.load()
            found[offered.name] = ""
        except NotAccepted as refusal:
            assert "%(" not in str(refusal.sentence)
            found[offered.name] = refusal.code
    return found


# ---- names --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "names",
    [
        ["猫/图片一.jpg"],  # valid as UTF-8 too, letter by letter
        ["猫/1.jpg", "狗/2.jpg"],
        ["猫/1.jpg"],
        ["直升机/001.png", "飞机/002.png"],
        ["垃圾分类/塑料瓶 (1).jpg", "垃圾分类/玻璃.jpg"],
    ],
)
def test_names_without_a_mark_are_read_as_gbk_or_utf8_as_they_were_meant(names: list[str]) -> None:
    for encoding in ("gbk", "utf-8"):
        assert encoding_of([name.encode(encoding) for name in names]) == encoding, names


@pytest.mark.parametrize(
    "name", ["café/1.jpg", "Äpfel/größe.jpg", "Привет/собака.jpg", "ねこ/写真.jpg", "고양이/1.jpg"]
)
def test_names_of_other_languages_in_utf8_are_not_taken_for_gbk(name: str) -> None:
    assert encoding_of([name.encode()]) == "utf-8"


def test_the_whole_archive_is_decided_at_once(tmp_path: Path) -> None:
    # Taken alone the first folder could be è.
    raw = raw_zip({"猫/a.png".encode("gbk"): b"1", "狗/b.png".encode("gbk"): b"2"})
    with opened(tmp_path, raw) as archive:
        assert archive.encoding == "gbk"
        assert [offered.folder for offered in archive.offered] == ["猫", "狗"]


def test_marked_names_are_utf8_whatever_the_others_are(tmp_path: Path) -> None:
    raw = raw_zip({"鸟/a.png".encode(): b"1"}, flags=0x800)
    with opened(tmp_path, raw) as archive:
        assert archive.offered[0].folder == "鸟"


def test_the_unicode_extra_field_wins(tmp_path: Path) -> None:
    name = b"?/a.png"
    told = b"\x01" + zlib.crc32(name).to_bytes(4, "little") + "马/a.png".encode()
    extra = b"up" + len(told).to_bytes(2, "little") + told
    with opened(tmp_path, raw_zip({name: b"1"}, extra=extra)) as archive:
        assert archive.offered[0].folder == "马"


def test_somebody_can_say_which_encoding_it_is(tmp_path: Path) -> None:
    raw = raw_zip({"貓/圖片.png".encode("big5"): b"1"})
    with opened(tmp_path, raw, "big5") as archive:
        assert archive.offered[0].name == "貓/圖片.png"


def test_the_folder_that_directly_holds_a_file_is_its_label(tmp_path: Path) -> None:
    names = ["wrap/cats/1.png", "wrap/dogs/big/2.png", "3.png", "./birds/4.png", "fish\\5.png"]
    with opened(tmp_path, zip_of(dict.fromkeys(names, b"x"))) as archive:
        assert [offered.folder for offered in archive.offered] == ["cats", "big", "", "birds", "fish"]


def test_folders_and_litter_are_not_counted(tmp_path: Path) -> None:
    names = [
        "cats/", "cats/1.png", "__MACOSX/cats/._1.png", "cats/.DS_Store", "cats/Thumbs.db",
        "cats/desktop.ini", "cats/._2.png",
    ]  # fmt: skip
    with opened(tmp_path, zip_of({name: b"" if name.endswith("/") else b"x" for name in names})) as archive:
        assert [offered.name for offered in archive.offered] == ["cats/1.png"]


@pytest.mark.parametrize(
    "name", ["../a.png", "x/../../a.png", "/etc/a.png", "C:/a.png", "C:\\a.png", "..\\a.png"]
)
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    with opened(tmp_path, raw_zip({name.encode(): picture()})) as archive:
        assert list(codes(archive).values()) == ["unsafe-name"]


def test_strange_names_are_kept_readable_and_all_pictures_distinct(work: Work, team: Team) -> None:
    names = [
        "a\x00b.png",
        "x" * 300 + ".png",
        "con.png",
        "A.png",
        "a.png",
        "dot.",
        "\u202egnp.a",
        "tab\tname.png",
    ]
    colours = ["red", "green", "blue", "white", "black", "yellow", "pink", "brown"]
    content = {name.encode(): picture(colour) for name, colour in zip(names, colours, strict=True)}
    dataset = make_dataset(team)
    found = begin(team, dataset, ("odd.zip", raw_zip(content, flags=0x800)))
    work()
    found.refresh_from_db()
    assert (found.imported, found.rejected) == (8, 0)
    assert len(taken(dataset)) == 8
    assert all("\x00" not in name and "\t" not in name and len(name) <= 255 for name in taken(dataset))


# ---- what is inside ----------------------------------------------------------------------


def test_a_zip_with_a_password_refuses_each_file_with_its_reason(work: Work, team: Team) -> None:
    found = begin(
        team, make_dataset(team), ("a.zip", raw_zip({b"cat/1.png": picture(), b"2.png": b"x"}, flags=1))
    )
    work()
    found.refresh_from_db()
    assert (found.state, found.total, found.rejected) == (ImportState.READY, 2, 2)
    assert outcomes(found) == {"cat/1.png": "encrypted", "2.png": "encrypted"}


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"mode": 0o120777}, "link"),
        ({"mode": 0o020644}, "special-file"),
        ({"method": 9}, "unknown-compression"),
        ({"method": 99}, "encrypted"),
    ],
)
def test_links_devices_and_unknown_compressions_are_refused(
    tmp_path: Path, how: dict[str, int], code: str
) -> None:
    with opened(tmp_path, raw_zip({b"a.png": picture()}, **how)) as archive:  # type: ignore[arg-type]
        assert codes(archive) == {"a.png": code}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_what_ordinary_packers_write_is_read(tmp_path: Path, method: int) -> None:
    content = picture("red", (200, 150), "BMP")
    with opened(tmp_path, zip_of({"a.bmp": content}, method)) as archive:
        assert archive.offered[0].load() == content


def test_a_zip_inside_the_zip_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path, zip_of({"more.zip": zip_of({"a.png": picture()}), "b.png": picture()})) as archive:
        assert codes(archive) == {"more.zip": "nested-archive", "b.png": ""}


def test_a_damaged_entry_is_refused_and_the_others_are_taken(tmp_path: Path) -> None:
    content = bytearray(zip_of({"a.png": picture("red"), "b.png": picture("blue")}))
    content[60] ^= 0xFF
    with opened(tmp_path, bytes(content)) as archive:
        assert codes(archive) == {"a.png": "damaged-entry", "b.png": ""}


def test_an_entry_that_lies_about_its_size_is_stopped_at_the_limit(tmp_path: Path) -> None:
    content = zip_of({"bomb.png": bytes(60 * 1024**2)})
    lying = content.replace((60 * 1024**2).to_bytes(4, "little"), (100).to_bytes(4, "little"))
    with opened(tmp_path, lying) as archive:
        assert codes(archive) == {"bomb.png": "too-many-bytes"}


def test_a_bomb_of_many_entries_stops_at_the_limit_of_real_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("datasets.archives.FLOOR_BYTES", 20 * 1024**2)
    with opened(tmp_path, zip_of({f"{n}.png": bytes(9 * 1024**2) for n in range(6)})) as archive:
        assert list(codes(archive).values()) == [""] * 3 + ["archive-bomb"] * 3


def test_entries_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    content = raw_zip({b"a.png": picture("red"), b"b.png": picture("red")})
    second = content.rfind(b"PK\x03\x04").to_bytes(4, "little")
    overlapping = content.replace(second + b"b.png", bytes(4) + b"b.png")
    with opened(tmp_path, overlapping) as archive:
        assert codes(archive) == {"a.png": "damaged-entry", "b.png": "damaged-entry"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"hello", "not a zip"),
        (zip_of({}), "holds no files"),
        (zip_of({"folder/": b"", "x/.DS_Store": b"y"}), "holds no files"),
        (zip_of({"a.png": picture()})[:-30], "damaged"),
        (b"PK\x05\x06" + b"\xff" * 18, "damaged"),
    ],
)
def test_what_is_no_usable_zip_fails_with_a_sentence(
    work: Work, team: Team, content: bytes, says: str
) -> None:
    found = begin(team, make_dataset(team), ("a.zip", content), archive=True)
    work()
    found.refresh_from_db()
    assert found.state == ImportState.FAILED
    assert says in str(found.sentence)


def test_one_bad_zip_among_several_uploads_is_refused_by_itself(work: Work, team: Team) -> None:
    dataset = make_dataset(team)
    found = begin(team, dataset, ("bad.zip", b"PK\x03\x04junk"), ("ok.png", picture()))
    work()
    assert outcomes(found) == {"bad.zip": "not-a-zip"}
    assert taken(dataset) == {"ok.png": None}


def test_many_entries_take_little_memory_and_too_many_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = raw_zip({b"%d.png" % n: b"" for n in range(3000)})
    with opened(tmp_path, content) as archive:
        assert len(archive.offered) == 3000
    monkeypatch.setattr("datasets.zipformat.MAX_ENTRIES", 2999)
    with pytest.raises(NotAZip, match="2999"):
        opened(tmp_path, content)


def test_what_stands_before_the_zip_does_not_matter(tmp_path: Path) -> None:
    with opened(tmp_path, b"#!/bin/sh\n" + zip_of({"a.png": picture()})) as archive:
        assert codes(archive) == {"a.png": ""}
