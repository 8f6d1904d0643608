"""Files that say which picture has which label: each format from its makers' own examples, and the awkward ones."""

import json
from functools import partial

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from datasets.archives import Offered
from datasets.formats import said_by
from datasets.formats.documents import Said
from datasets.formats.matching import with_labels
from datasets.models import Dataset, Image
from datasets.reasons import NotAccepted
from tests.datasets.makers import Work, begin, colours, make_dataset, outcomes, taken, zip_of
from tests.factories import Team

NAMES = ("a/1.jpg", "a/2.jpg", "b/1.jpg")
VERTEX = {
    "imageGcsUri": "gs://bucket/b/1.jpg",
    "classificationAnnotation": {"displayName": "dog", "annotationResourceLabels": {"x": "y"}},
    "dataItemResourceLabels": {"aiplatform.googleapis.com/ml_use": "test"},
}
TASK = {
    "id": 1,
    "data": {"image": "/data/upload/3/0a1b2c3d-2.jpg"},
    "annotations": [
        {"was_cancelled": True, "result": [{"type": "choices", "value": {"choices": ["cat"]}}]},
        {"result": [{"type": "choices", "value": {"choices": ["dog"]}}]},
    ],
}


def offers(*names: str, **papers: bytes) -> list[Offered]:
    """Files by name, and a description with its content."""
    found = [Offered(name, name.split("/")[-2] if "/" in name else "", bytes) for name in names]
    return found + [
        Offered(name.replace("__", "."), "", partial(bytes, content)) for name, content in papers.items()
    ]


def told(files: list[Offered], *manifests: tuple[str, bytes]) -> dict[str, tuple[str, str]]:
    """Each file's label and wish."""
    return {each.name: (each.folder, each.split) for each in with_labels(files, manifests)}


def refusals(files: list[Offered], content: bytes) -> dict[int, str]:
    """The rows that were refused, with their codes."""
    found = {}
    for each in with_labels(files, [("labels.csv", content)]):
        try:
            each.load()
        except NotAccepted as refusal:
            found[refusal.values["row"]] = refusal.code
    return found


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("l.csv", b"path,label,split\na/1.jpg,cat,val\n", Said(2, "a/1.jpg", "cat", "validation")),
        ("l.csv", b"a/1.jpg,cat\n", Said(1, "a/1.jpg", "cat")),
        ("l.csv", b"Label;Image\ncat;a/1.jpg\n", Said(2, "a/1.jpg", "cat")),
        ("l.tsv", b'a/1.jpg\t"cat, black"\n', Said(1, "a/1.jpg", "cat, black")),
        ("l.csv", b"\xef\xbb\xbfpath,label\r\na/1.jpg,\xe7\x8c\xab\r\n", Said(2, "a/1.jpg", "猫")),
        ("l.csv", "path,label\na/1.jpg,猫\n".encode("gbk"), Said(2, "a/1.jpg", "猫")),
        ("l.csv", "文件名,标签,划分\na/1.jpg,猫,验证集\n".encode(), Said(2, "a/1.jpg", "猫", "validation")),
        ("l.csv", "类别；图片\n猫；a/1.jpg\n".replace("；", ";").encode("gbk"), Said(2, "a/1.jpg", "猫")),
        ("l.csv", "path,label\na/1.jpg,猫\n".encode("utf-16"), Said(2, "a/1.jpg", "猫")),
        ("l.csv", b"TRAINING,gs://b/a/1.jpg,cat\n", Said(1, "gs://b/a/1.jpg", "cat", "train")),
        ("l.csv", b"gs://b/a/1.jpg,cat\n", Said(1, "gs://b/a/1.jpg", "cat")),
        (
            "l.csv",
            b"UNASSIGNED,gs://b/a/1.jpg,cat,dog\n",
            Said(1, "gs://b/a/1.jpg", problem="manifest-labels"),
        ),
        ("l.jsonl", json.dumps(VERTEX).encode(), Said(1, "gs://bucket/b/1.jpg", "dog", "test")),
        ("l.json", json.dumps([TASK]).encode(), Said(1, "2.jpg", "dog")),
        (
            "l.json",
            b'[{"image": "/data/local-files/?d=a/2.jpg", "choice": "cat", "annotator": 1}]',
            Said(1, "a/2.jpg", "cat"),
        ),
        ("metadata.csv", b"file_name,label\n1.jpg,cat\n", Said(2, "1.jpg", "cat")),
        ("metadata.jsonl", b'{"file_name": "1.jpg", "text": "a cat"}', Said(1, "1.jpg", None)),
        ("l.csv", b"path,label\nonly-a-path\n", Said(2, "only-a-path", problem="manifest-row")),
    ],
)
def test_each_format_is_known_by_its_content(name: str, content: bytes, expected: Said) -> None:
    assert said_by(name, content) == [expected]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[1, 2]", b'{"a": 1}', b"one column\nno more\n", b"[" * 100_000, bytes(range(256))],
)
def test_what_is_no_list_of_labels_says_nothing(content: bytes) -> None:
    assert not said_by("x.json", content)


def test_rows_find_their_files_by_path_by_its_end_and_inside_a_wrapping_folder() -> None:
    rows = b"a/1.jpg,cat,train\ngs://bucket/data/b/1.jpg,dog\n2.jpg,cow\n"
    assert told(offers(*NAMES, labels__csv=rows)) == {
        "a/1.jpg": ("cat", "train"),
        "a/2.jpg": ("cow", ""),
        "b/1.jpg": ("dog", ""),
    }
    assert told(offers("all/a/1.jpg"), ("l.csv", b"a/1.jpg,cat\n")) == {"all/a/1.jpg": ("cat", "")}


def test_rows_that_fit_no_file_are_refused_with_their_number() -> None:
    rows = b"path,label\nb/2.jpg,cat\n1.jpg,cat\nhttps://example.org/x.jpg,cat\na/1.jpg\na/2.jpg,cat\na/2.jpg,dog\n"
    assert refusals(offers(*NAMES), rows) == {
        2: "manifest-no-file",
        3: "manifest-several",
        4: "manifest-link",
        5: "manifest-row",
        7: "manifest-again",
    }


def test_a_folder_of_described_files_is_no_label_for_the_forgotten_ones() -> None:
    names = ("images/1.jpg", "images/2.jpg", "dog/3.jpg")
    assert told(offers(*names, labels__csv=b"images/1.jpg,cat\n")) == {
        "images/1.jpg": ("cat", ""),
        "images/2.jpg": ("", ""),
        "dog/3.jpg": ("dog", ""),
    }


def test_a_table_that_names_no_file_of_the_zip_is_left_where_it_was() -> None:
    assert set(told(offers("cat/1.jpg", prices__csv=b"apple,3\npear,4\n"))) == {"cat/1.jpg", "prices.csv"}


@pytest.mark.parametrize(
    "pattern", ["{split}/{label}/1.jpg", "{label}/{split}/1.jpg", "set/{label}/{split}/1.jpg"]
)
def test_folders_of_a_split_are_wishes_not_labels(pattern: str) -> None:
    names = {
        pattern.format(split=split, label=label): (label, wish)
        for split, wish in {"train": "train", "val": "validation", "test": "test"}.items()
        for label in ("cat", "dog")
    }
    assert told(offers(*names)) == names


def test_a_folder_called_test_may_be_a_label() -> None:
    names = {"test/1.jpg": ("test", ""), "cat/2.jpg": ("cat", "")}
    assert told(offers(*names)) == names
    assert told(offers("pets/test/1.jpg", "pets/train/2.jpg"))["pets/test/1.jpg"] == ("test", "")


def test_a_zip_with_metadata_comes_in_with_its_labels_and_wishes(work: Work, team: Team) -> None:
    dataset, [one, two] = make_dataset(team), colours(2)
    rows = b"file_name,label\n1.png,cat\nmissing.png,cat\n"
    files = {"train/1.png": one, "train/metadata.csv": rows, "test/2.png": two}
    found = begin(team, dataset, ("pets.zip", zip_of(files)))
    work()
    found.refresh_from_db()
    assert (found.total, found.imported, found.rejected) == (3, 2, 1)
    assert dict(dataset.images.values_list("name", "split")) == {"1.png": "train", "2.png": ""}
    assert taken(dataset) == {"1.png": "cat", "2.png": "test"}
    [reason] = [str(row.sentence) for row in found.not_taken.all()]
    assert reason.startswith("Row 3 of train/metadata.csv names “missing.png”")


def post(client: Client, dataset: Dataset, manifest: bytes, **files: bytes) -> tuple[int, dict[str, object]]:
    body = {key: SimpleUploadedFile(f"{key}.png", content) for key, content in files.items()}
    body["manifest"] = SimpleUploadedFile("labels.csv", manifest)
    answer = client.post(f"/api/v1/datasets/{dataset.pk}/imports", body)
    return answer.status_code, answer.json()


def test_a_manifest_comes_beside_a_zip(work: Work, team: Team) -> None:
    dataset, client = make_dataset(team), team.program("labeller")
    files = dict(zip(["x/1.png", "x/2.png"], colours(2), strict=True))
    status, _ = post(client, dataset, "path;label\n1.png;猫\n2.png;狗\n".encode(), archive=zip_of(files))
    assert status == 202
    work()
    assert taken(dataset) == {"1.png": "猫", "2.png": "狗"}
    assert not outcomes(dataset.imports.get())
    assert Image.objects.filter(dataset=dataset, split="").count() == 2


def test_a_manifest_that_cannot_be_read_is_refused_at_once(team: Team) -> None:
    dataset, [picture] = make_dataset(team), colours(1)
    status, body = post(team.program("labeller"), dataset, b"nothing here", images=picture)
    assert (status, body["code"]) == (422, "manifest-not-understood")
    assert not dataset.imports.exists()


def test_a_table_of_pixels_becomes_grey_pictures(work: Work, team: Team) -> None:
    def row(grey: int, usage: str, side: int = 48) -> str:
        return f"{grey % 7},{' '.join([str(grey)] * side * side)},{usage}\n"

    table = "emotion,pixels,Usage\n" + row(3, "Training") + row(8, "PublicTest") + "\n5,1 2 3,Training\n"
    table += row(255, "PrivateTest") + row(256, "Training") + "6\n"
    dataset = make_dataset(team)
    found = begin(team, dataset, ("fer2013.csv", table.encode()))
    work()
    rows = dataset.images.order_by("position").values_list("name", "label__name", "split", "width", "grey")
    assert list(rows) == [
        ("fer2013.csv:2.png", "3", "train", 48, True),
        ("fer2013.csv:3.png", "1", "validation", 48, True),
        ("fer2013.csv:6.png", "3", "test", 48, True),
    ]
    assert outcomes(found) == {f"fer2013.csv:{n}.png": "pixels-row" for n in (5, 7, 8)}


def test_a_list_comes_beside_loose_pictures(work: Work, team: Team) -> None:
    dataset, [one, two] = make_dataset(team), colours(2)
    begin(team, dataset, ("1.png", one), ("labels.csv", b"1.png,cat\n"), ("2.png", two))
    work()
    assert taken(dataset) == {"1.png": "cat", "2.png": None}
