"""Names of zips in every encoding: right by themselves or after one choice, with the preview showing the right one."""

import zlib

import pytest

from datasets.archive_names import encoding_of, is_sure
from datasets.choices import Choices
from datasets.choosing import choose, read_again
from datasets.lookalike_names import folded, merged
from datasets.planning import Plan
from tests.datasets.makers import Work, begin, colours, make_dataset, raw_zip, taken, zip_of
from tests.datasets.test_import_choosing import asked
from tests.factories import Team, picture

CHINESE = ["猫/图片一.png", "直升机/塑料瓶 (1).png", "猫/2.png"]
TRADITIONAL = ["飛機/圖片.png", "直升機/照片.png", "戰車/3.png"]


def unicode_field(name: str, raw: bytes) -> bytes:
    told = b"\x01" + zlib.crc32(raw).to_bytes(4, "little") + name.encode()
    return b"up" + len(told).to_bytes(2, "little") + told


def mixed_archive() -> bytes:
    names = {CHINESE[0].encode(), CHINESE[1].encode("gbk"), CHINESE[2].encode()}
    return raw_zip(dict(zip(sorted(names), colours(3), strict=True)))


def marked_and_not() -> bytes:
    raw = [CHINESE[0].encode(), CHINESE[1].encode("gbk"), CHINESE[2].encode("gbk")]
    return raw_zip(dict(zip(raw, colours(3), strict=True)), marked=raw[:1])


def in_encoding(encoding: str, names: list[str], **how: int) -> bytes:
    raw = [name.encode(encoding) for name in names]
    return raw_zip(dict(zip(raw, colours(len(raw)), strict=True)), **how)  # type: ignore[arg-type]


# archive, the names that it holds, and what a person has to choose (empty: it is right by itself)
ARCHIVES = {
    "GBK": (in_encoding("gbk", CHINESE), CHINESE, ""),
    "GBK, one letter": (in_encoding("gbk", ["猫/1.png"]), ["猫/1.png"], ""),
    "GB18030": (in_encoding("gb18030", ["猫/㐂.png", "狗/2.png"]), ["猫/㐂.png", "狗/2.png"], ""),
    "UTF-8 without a mark": (in_encoding("utf-8", CHINESE), CHINESE, ""),
    "UTF-8, one letter": (in_encoding("utf-8", ["猫/1.png"]), ["猫/1.png"], ""),
    "UTF-8 with its mark": (in_encoding("utf-8", CHINESE, flags=0x800), CHINESE, ""),
    "Big5": (in_encoding("big5", TRADITIONAL), TRADITIONAL, "big5"),
    "Shift-JIS": (in_encoding("shift_jis", ["ねこ/写真.png"]), ["ねこ/写真.png"], ""),
    "EUC-KR": (in_encoding("euc_kr", ["고양이/사진.png"]), ["고양이/사진.png"], "euc_kr"),
    "CP437": (in_encoding("cp437", ["Äpfel/größe.png", "café/2.png"]), ["Äpfel/größe.png", "café/2.png"], ""),
    "marked and not": (marked_and_not(), CHINESE, ""),
    "UTF-8 and GBK without marks": (mixed_archive(), CHINESE, ""),
    "Unicode extra field": (
        raw_zip({b"?/a.png": picture()}, extra=unicode_field("马/图.png", b"?/a.png")),
        ["马/图.png"],
        "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", ARCHIVES)
def test_names_are_right_after_the_preview_at_the_latest(work: Work, team: Team, kind: str) -> None:
    content, names, choice = ARCHIVES[kind]
    dataset = make_dataset(team)
    found = asked(work, team, dataset, ("a.zip", content))
    if choice:
        plan = Plan.from_json(found.plan)
        assert not plan.sure and set(plan.readings[choice]) == set(names)
        read_again(found=found, user=team.people["labeller"], encoding=choice)
        work()
        found.refresh_from_db()
    choose(found=found, user=team.people["labeller"], choices=Choices())
    work()
    expected = {name.split("/")[1]: name.split("/")[0] for name in names}
    assert taken(dataset) == expected
    # Files of one folder have one label, however each of their names was written
    assert set(dataset.labels.values_list("name", flat=True)) == set(expected.values())


@pytest.mark.parametrize("kind", [kind for kind, (_, _, choice) in ARCHIVES.items() if not choice])
def test_a_program_gets_them_right_without_a_choice(work: Work, team: Team, kind: str) -> None:
    content, names, _ = ARCHIVES[kind]
    dataset = make_dataset(team)
    begin(team, dataset, ("a.zip", content))
    work()
    assert taken(dataset) == {name.split("/")[1]: name.split("/")[0] for name in names}


@pytest.mark.parametrize("encoding", ["gbk", "utf-8"])
@pytest.mark.parametrize(
    "names",
    [
        ["猫/1.jpg", "狗/2.jpg"],
        ["垃圾分类/塑料瓶 (1).jpg", "垃圾分类/玻璃.jpg"],
        ["训练集/合格品/零件_01.bmp", "训练集/划痕/零件_02.bmp", "训练集/裂纹/零件_3.bmp"],
    ],
)
def test_ordinary_chinese_zips_are_not_asked_about(names: list[str], encoding: str) -> None:
    raw = [name.encode(encoding) for name in names]
    assert encoding_of(raw) == encoding and is_sure(raw, encoding)


def test_case_only_different_and_repeated_names_lose_nothing(work: Work, team: Team) -> None:
    names = [f"{'aA'[n % 2]}{'bB'[n // 2 % 2]}/{'xX'[n // 4 % 2]}{n // 8}.png" for n in range(96)]
    content = [picture(f"#{n:02x}{(n * 7) % 256:02x}40") for n in range(100)]
    raw = dict(zip([name.encode() for name in names], content, strict=False))
    whole = raw_zip(raw)
    dataset = make_dataset(team)
    begin(team, dataset, ("a.zip", whole))
    begin(team, dataset, *[("same.png", each) for each in content[96:]])  # four files of one name
    work()
    assert dataset.images.count() == 100
    assert set(dataset.labels.values_list("name", flat=True)) == {"ab", "aB", "Ab", "AB"}


@pytest.mark.parametrize(
    ("one", "other"),
    [("Cat", "cat"), ("ＣＡＴ　１", "cat 1"), ("a  b", "A b"), ("a_b", "a b"), ("直升 机", "直升机"),
     ("straße", "STRASSE"), ("ｶﾀｶﾅ", "カタカナ"), ("cat\u200b", "cat")],
)  # fmt: skip
def test_names_that_look_alike(one: str, other: str) -> None:
    assert folded(one) == folded(other)


@pytest.mark.parametrize(
    ("one", "other"), [("1 2", "12"), ("cat", "cats"), ("a-b", "ab"), ("猫", "貓"), ("é", "e")]
)
def test_names_that_do_not(one: str, other: str) -> None:
    assert folded(one) != folded(other)


def test_what_exists_is_never_proposed_to_go() -> None:
    assert merged({"Cat": 5, "CAT": 9, "dog": 1}, {"Cat": 1, "cat": 7}) == {"CAT": "cat"}
    assert merged({"x": 1, "X": 3}, {}) == {"x": "X"}


def test_a_large_table_in_a_zip_is_read_row_by_row(work: Work, team: Team) -> None:
    row = "3," + " ".join(["200"] * 48 * 48) + ",Training\n"
    other = "4," + " ".join(["90"] * 48 * 48) + ",PublicTest\n"
    table = ("emotion,pixels,Usage\n" + row + other + row * 1200).encode()
    assert len(table) > 10 * 1024**2  # more than a picture may have
    dataset = make_dataset(team)
    found = begin(team, dataset, ("fer.zip", zip_of({"fer2013.csv": table, "cat/1.png": picture()})))
    work()
    found.refresh_from_db()
    assert (found.total, found.imported, found.duplicates) == (1203, 3, 1200)
    assert set(taken(dataset).values()) == {"3", "4", "cat"}


def test_a_damaged_table_in_a_zip_is_refused_by_itself(work: Work, team: Team) -> None:
    table = b"emotion,pixels\n" + b"1,0 0 0 0\n" * 100
    content = bytearray(zip_of({"fer.csv": table, "cat/1.png": picture()}, 0))
    content[content.index(b"0 0 0")] ^= 1
    dataset = make_dataset(team)
    found = begin(team, dataset, ("fer.zip", bytes(content)))
    work()
    assert taken(dataset) == {"1.png": "cat"}
    assert list(found.not_taken.values_list("name", "code")) == [("fer.csv", "damaged-entry")]
