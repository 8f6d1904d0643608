"""Data sets through the API, to the letter of the contract."""

from collections.abc import Callable

from django.test import Client

from tests.datasets.makers import Work, make_dataset, make_images, picture, upload, zip_of
from tests.factories import Team

Program = Callable[..., Client]
JSON = "application/json"


def test_the_main_way_from_an_empty_data_set_to_tagged_pictures(work: Work, team: Team, api: Program) -> None:
    program = api("engineer")
    made = program.post("/api/v1/datasets", {"name": "Pets"}, content_type=JSON)
    assert made.status_code == 201
    base = f"/api/v1/datasets/{made.json()['id']}"
    archive = upload(
        "pets.zip", zip_of({"猫/1.png": picture("red"), "2.png": picture("blue"), "猫/x.txt": b"text"})
    )
    begun = program.post(f"{base}/imports", {"archive": archive})
    assert begun.status_code == 202
    assert begun.json()["state"] == "queued"
    work()
    ready = program.get(f"{base}/imports/{begun.json()['id']}").json()
    assert (ready["state"], ready["total"], ready["imported"], ready["duplicates"], ready["rejected"]) == (
        "ready", 3, 2, 0, 1,
    )  # fmt: skip
    assert ready["progress"] == 1.0
    refused = program.get(f"{base}/imports/{begun.json()['id']}/rejections").json()
    assert refused["next"] is None
    assert [(row["name"], row["code"]) for row in refused["items"]] == [("猫/x.txt", "not-an-image")]
    assert refused["items"][0]["reason"].startswith("This is not a picture")
    images = program.get(f"{base}/images?state=unlabelled").json()["items"]
    assert [(row["file"], row["label"], row["width"], row["height"]) for row in images] == [
        ("2.png", None, 64, 48)
    ]
    tagged = program.post(f"{base}/tag", {"images": [images[0]["id"]], "label": "猫"}, content_type=JSON)
    assert tagged.status_code == 200
    assert tagged.json()["changed"] == 1
    labels = program.get(f"{base}/labels").json()["items"]
    assert [(row["name"], row["images"]) for row in labels] == [("猫", 2)]
    undone = program.post(f"{base}/tag-actions/{tagged.json()['action']}/undo")
    assert undone.json() == {"changed": 1, "skipped": 0}


def test_loose_pictures_take_the_label_they_are_sent_with(work: Work, team: Team, api: Program) -> None:
    base = f"/api/v1/datasets/{make_dataset(team).pk}"
    files = [upload("a.png", picture("red")), upload("b.png", picture("blue"))]
    begun = api("labeller").post(f"{base}/imports", {"images": files, "label": "狗"})
    work()
    assert begun.status_code == 202
    items = (
        api("viewer").get(f"{base}/images?label=狗&import={begun.json()['id']}&order=-file").json()["items"]
    )
    assert [row["file"] for row in items] == ["b.png", "a.png"]


def test_neither_archive_nor_images_is_422(team: Team, api: Program) -> None:
    answer = api("labeller").post(f"/api/v1/datasets/{make_dataset(team).pk}/imports", {"label": "x"})
    assert (answer.status_code, answer.json()["code"]) == (422, "no-files")


def test_a_broken_multipart_body_is_400(team: Team, api: Program) -> None:
    answer = api("labeller").post(
        f"/api/v1/datasets/{make_dataset(team).pk}/imports", b"junk", content_type="multipart/form-data"
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "bad-multipart")


def test_a_body_that_declares_too_many_bytes_is_413_before_it_is_read(
    team: Team, api: Program, settings
) -> None:
    settings.MAX_ARCHIVE_BYTES = 1000
    path = f"/api/v1/datasets/{make_dataset(team).pk}/imports"
    big = upload("a.zip", bytes(2_000_000))
    answer = api("labeller").post(path, {"archive": big})
    assert (answer.status_code, answer.json()["code"]) == (413, "too-many-bytes")


def test_too_many_files_in_one_request_are_413(team: Team, api: Program, settings) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 2
    files = [upload(f"{n}.png", picture("red")) for n in range(3)]
    answer = api("labeller").post(f"/api/v1/datasets/{make_dataset(team).pk}/imports", {"images": files})
    assert (answer.status_code, answer.json()["code"]) == (413, "too-many-files")


def test_an_unknown_label_is_404_unless_it_may_be_made(team: Team, api: Program) -> None:
    dataset = make_dataset(team)
    body = {"images": [image.pk for image in make_images(dataset, 3)], "label": "new"}
    path = f"/api/v1/datasets/{dataset.pk}/tag"
    refused = api("engineer").post(path, body, content_type=JSON)
    assert (refused.status_code, refused.json()["code"]) == (404, "unknown-label")
    assert api("labeller").post(path, body | {"create": True}, content_type=JSON).status_code == 403
    assert api("engineer").post(path, body | {"create": True}, content_type=JSON).json()["changed"] == 3


def test_ids_of_another_data_set_are_404_and_nothing_changes(team: Team, api: Program) -> None:
    mine, other = make_dataset(team), make_dataset(team, "Other")
    dataset_label = mine.labels.create(name="a")
    ids = [make_images(mine, 1)[0].pk, make_images(other, 1)[0].pk]
    answer = api("labeller").post(
        f"/api/v1/datasets/{mine.pk}/tag", {"images": ids, "label": "a"}, content_type=JSON
    )
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-images")
    assert not dataset_label.images.exists()


def test_tagging_by_filter_and_taking_the_label_away(team: Team, api: Program) -> None:
    dataset = make_dataset(team)
    make_images(dataset, 4)
    dataset.labels.create(name="a")
    path = f"/api/v1/datasets/{dataset.pk}/tag"
    by_filter = {"filter": {"state": "unlabelled"}, "label": "a"}
    assert api("labeller").post(path, by_filter, content_type=JSON).json()["changed"] == 4
    cleared = api("labeller").post(path, {"filter": {"label": "a"}, "label": None}, content_type=JSON)
    assert cleared.json()["changed"] == 4
    assert not dataset.images.exclude(label=None).exists()


def test_a_tag_without_pictures_without_label_or_with_unknown_keys_is_422(team: Team, api: Program) -> None:
    path = f"/api/v1/datasets/{make_dataset(team).pk}/tag"
    for body in ({"label": "a"}, {"images": []}, {"filter": {"colour": "red"}, "label": "a"}):
        answer = api("labeller").post(path, body, content_type=JSON)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), body
        assert answer.json()["errors"]


def test_deleted_pictures_go_to_the_trash_and_come_back(team: Team, api: Program) -> None:
    dataset = make_dataset(team)
    ids = [image.pk for image in make_images(dataset, 3)]
    base = f"/api/v1/datasets/{dataset.pk}"
    gone = api("engineer").delete(f"{base}/images", {"images": ids[:2]}, content_type=JSON)
    assert gone.json()["changed"] == 2
    assert [row["id"] for row in api("viewer").get(f"{base}/images").json()["items"]] == ids[2:]
    assert len(api("viewer").get(f"{base}/images?state=trashed").json()["items"]) == 2
    assert api("engineer").post(f"{base}/tag-actions/{gone.json()['action']}/undo").json()["changed"] == 2
    assert len(api("viewer").get(f"{base}/images").json()["items"]) == 3


def test_a_labeller_undoes_only_what_is_their_own(team: Team, api: Program) -> None:
    dataset = make_dataset(team)
    make_images(dataset, 1)
    dataset.labels.create(name="a")
    base = f"/api/v1/datasets/{dataset.pk}"
    action = (
        api("engineer").post(f"{base}/tag", {"filter": {}, "label": "a"}, content_type=JSON).json()["action"]
    )
    assert api("labeller").post(f"{base}/tag-actions/{action}/undo").status_code == 403
    assert api("owner").post(f"{base}/tag-actions/{action}/undo").json() == {"changed": 1, "skipped": 0}


def test_who_may_do_what(team: Team, api: Program) -> None:
    dataset = make_dataset(team)
    dataset.labels.create(name="a")
    base = f"/api/v1/datasets/{dataset.pk}"
    asks = {
        "viewer": [("get", base, None), ("get", f"{base}/labels", None), ("get", f"{base}/images", None)],
        "labeller": [("post", f"{base}/tag", {"filter": {}, "label": "a"})],
        "engineer": [
            ("post", "/api/v1/datasets", {"name": "x"}),
            ("post", f"{base}/labels", {"name": "b"}),
            ("patch", base, {"name": "y"}),
            ("delete", f"{base}/images", {"filter": {}}),
        ],
    }
    roles = [*asks, "owner"]
    for least, calls in asks.items():
        for verb, path, body in calls:
            below = roles[: roles.index(least)]
            for role in [*below, "stranger"]:
                answer = getattr(api(role), verb)(path, body or {}, content_type=JSON)
                expected = 404 if role == "stranger" and path != "/api/v1/datasets" else 403
                if role != "stranger" or path != "/api/v1/datasets":
                    assert answer.status_code == expected, (role, verb, path)
            assert getattr(api(least), verb)(path, body or {}, content_type=JSON).status_code < 300, (
                least,
                path,
            )


def test_a_token_without_the_scope_is_403(team: Team, api: Program) -> None:
    base = f"/api/v1/datasets/{make_dataset(team).pk}"
    assert api("owner", scopes=["label"]).get(base).status_code == 403
    assert api("owner", scopes=["label"]).get("/api/v1/datasets").status_code == 403
    assert (
        api("owner", scopes=["read"]).post(f"{base}/labels", {"name": "a"}, content_type=JSON).status_code
        == 403
    )


def test_lists_go_on_from_their_cursor(team: Team, api: Program) -> None:
    dataset = make_dataset(team)
    make_images(dataset, 5)
    path = f"/api/v1/datasets/{dataset.pk}/images?limit=2&order=-file"
    seen, cursor = [], ""
    for _ in range(3):
        body = api("viewer").get(f"{path}&cursor={cursor}").json()
        seen += [row["file"] for row in body["items"]]
        cursor = body["next"] or ""
    assert (seen, cursor) == (["4.jpg", "3.jpg", "2.jpg", "1.jpg", "0.jpg"], "")


def test_a_deleted_data_set_is_gone_and_its_name_free(team: Team, api: Program) -> None:
    dataset = make_dataset(team)
    assert api("engineer").post("/api/v1/datasets", {"name": "Pets"}, content_type=JSON).status_code == 409
    assert api("engineer").delete(f"/api/v1/datasets/{dataset.pk}").status_code == 204
    assert api("engineer").get(f"/api/v1/datasets/{dataset.pk}").status_code == 404
    assert api("engineer").post("/api/v1/datasets", {"name": "Pets"}, content_type=JSON).status_code == 201


def test_labels_are_made_renamed_merged_and_deleted(team: Team, api: Program) -> None:
    dataset = make_dataset(team)
    base, program = f"/api/v1/datasets/{dataset.pk}", api("engineer")
    first = program.post(f"{base}/labels", {"name": " 猫 "}, content_type=JSON)
    assert (first.status_code, first.json()["name"], first.json()["images"]) == (201, "猫", 0)
    assert program.post(f"{base}/labels", {"name": "猫"}, content_type=JSON).status_code == 409
    assert program.post(f"{base}/labels", {"name": "a/b"}, content_type=JSON).json()["code"] == "bad-label"
    second = program.post(f"{base}/labels", {"name": "cat"}, content_type=JSON).json()
    make_images(dataset, 2, label=dataset.labels.get(name="cat"))
    renamed = program.patch(f"{base}/labels/{second['id']}", {"name": "Cat"}, content_type=JSON).json()
    assert (renamed["name"], renamed["images"]) == ("Cat", 2)
    path = f"{base}/labels/{second['id']}"
    assert (
        program.post(f"{path}/merge", {"into": first.json()["id"]}, content_type=JSON).json()["changed"] == 2
    )
    assert [(row["name"], row["images"]) for row in program.get(f"{base}/labels").json()["items"]] == [
        ("猫", 2)
    ]
    assert program.delete(path).status_code == 404
    assert program.delete(f"{base}/labels/{first.json()['id']}").json()["changed"] == 2
    assert program.get(f"{base}/labels").json()["items"] == []
