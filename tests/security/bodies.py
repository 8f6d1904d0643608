"""What each request sends, so that it gets past the checks of its fields and to the door."""

import json
from collections.abc import Callable
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from tests.factories import picture
from tests.security.world import World

Body = dict[str, Any]


def photo(world: World) -> Body:
    """One picture as a form's file, the API's too."""
    return {"as form": True, "images": SimpleUploadedFile("red.png", picture("red"), "image/png")}


def name(world: World) -> Body:
    """A new thing's name."""
    return {"name": "Birds"}


def one_picture(world: World) -> Body:
    """An act on a picture, by form or JSON."""
    return {"images": [world.ids["images"]], "label": "red"}


def moved(world: World) -> Body:
    """A picture that goes to another data set."""
    return {"images": [world.ids["images"]], "to": world.ids["other data set"], "copy": True}


def wish(world: World) -> Body:
    """A training."""
    return {"applications": ["cloud-general"], "data": [{"dataset": world.ids["datasets"], "labels": "all"}]}


def own_file(world: World) -> Body:
    """A model file, as far as one can tell at once."""
    data = json.dumps([{"dataset": world.ids["datasets"]}])
    return {"as form": True, "file": SimpleUploadedFile("own.onnx", b"\x08\x08 graph"), "data": data}


def own_file_by_form(world: World) -> Body:
    """The same by the page's form."""
    file = SimpleUploadedFile("own.onnx", b"\x08\x08 graph")
    return {"file": file, "dataset": world.ids["datasets"], "application": "edge-fast"}


def request_to_publish(world: World) -> Body:
    """A new service."""
    return {"name": "Birds", "slug": "birds", "model": world.ids["models"], "version": world.ids["versions"]}


# Keyed by "METHOD route". Forms get a dict, the API JSON; what is not named here sends nothing.
BODIES: dict[str, Callable[[World], Body]] = {
    "POST i18n/setlang/": lambda world: {"language": "en"},
    "POST projects/new/": name,
    "POST api/v1/projects": name,
    "POST projects/<int:pk>/webhook/": lambda world: {"url": "https://example.org/taxon"},
    "POST accounts/notices/": lambda world: {"language": "en"},
    "POST projects/<int:pk>/members/<int:member_pk>/change/": lambda world: {"role": "20"},
    "POST datasets/<int:pk>/undo/": lambda world: {"action": world.ids["tag-actions"]},
    "POST datasets/<int:pk>/mislabels/undo/": lambda world: {"action": world.ids["tag-actions"]},
    "POST datasets/<int:pk>/tag/": one_picture,
    "POST datasets/<int:pk>/accept/": one_picture,
    "POST datasets/<int:pk>/skip/": one_picture,
    "POST datasets/<int:pk>/discard/": one_picture,
    "POST datasets/<int:pk>/labels/<int:label_pk>/example/": lambda world: {"image": world.ids["images"]},
    "POST api/v1/datasets": name,
    "PATCH api/v1/datasets/<int:pk>": name,
    "POST api/v1/datasets/<int:pk>/imports": photo,
    "POST api/v1/datasets/<int:pk>/imports/<int:import_pk>/choices": lambda world: {"labels": {}},
    "POST api/v1/datasets/<int:pk>/conflicts/<int:conflict_pk>/settle": lambda world: {"take": True},
    "POST datasets/<int:pk>/conflicts/<int:conflict_pk>/settle/": lambda world: {"take": "other"},
    "POST datasets/<int:pk>/import/links/": lambda world: {"links": "https://example.org/1.jpg,red"},
    "POST datasets/<int:pk>/import/camera/undo/": lambda world: {"group": "burst-1"},
    "POST datasets/<int:pk>/near-duplicates/undo/": lambda world: {"action": world.ids["tag-actions"]},
    "POST datasets/<int:pk>/near-duplicates/<int:group_pk>/keep/": lambda world: {
        "image": world.ids["images"]
    },
    "POST api/v1/datasets/<int:pk>/labels": name,
    "PATCH api/v1/datasets/<int:pk>/labels/<int:label_pk>": name,
    "POST api/v1/datasets/<int:pk>/labels/<int:label_pk>/merge": lambda world: {
        "into": world.ids["red label"]
    },
    "DELETE api/v1/datasets/<int:pk>/images": lambda world: {"images": [world.ids["images"]]},
    "POST datasets/<int:pk>/exports/": lambda world: {"format": "csv"},
    "POST datasets/<int:pk>/move/": lambda world: {"images": [world.ids["images"]]},
    "POST api/v1/datasets/<int:pk>/snapshots": name,
    "PATCH api/v1/datasets/<int:pk>/snapshots/<int:snapshot_pk>": name,
    "POST api/v1/datasets/<int:pk>/snapshots/<int:snapshot_pk>/restore": lambda world: {"others": "keep"},
    "POST api/v1/projects/<int:pk>/trash/restore": lambda world: {"datasets": [world.ids["trashed"]]},
    "POST api/v1/projects/<int:pk>/trash/release": lambda world: {"datasets": [world.ids["trashed"]]},
    "POST api/v1/datasets/<int:pk>/copy": name,
    "POST api/v1/datasets/<int:pk>/move": moved,
    "POST api/v1/datasets/<int:pk>/exports": lambda world: {"format": "csv"},
    "POST api/v1/datasets/<int:pk>/tag": one_picture,
    "POST api/v1/datasets/<int:pk>/accept-suggestions": one_picture,
    "POST api/v1/datasets/<int:pk>/skip": lambda world: {"images": [world.ids["images"]]},
    "POST api/v1/models": name,
    "POST api/v1/models/<int:pk>/versions": wish,
    "POST models/<int:pk>/test-set/pin/": lambda world: {"source": "version:1"},
    "POST api/v1/models/<int:pk>/test-set": lambda world: {"version": 1},
    "POST models/<int:pk>/versions/own/": own_file_by_form,
    "POST api/v1/models/<int:pk>/versions/own": own_file,
    "PATCH api/v1/models/<int:pk>/versions/<int:number>": lambda world: {"notes": "The first one."},
    "POST models/<int:model_pk>/versions/<int:number>/notes/": lambda world: {"notes": "The first one."},
    "POST models/<int:model_pk>/versions/<int:number>/validate/": photo,
    "POST api/v1/models/<int:model_pk>/versions/<int:number>/validate": photo,
    "POST services/<slug:slug>/release/": lambda world: {"name": world.ids["services"]},
    "POST services/<slug:slug>/tokens/": name,
    "POST services/<slug:slug>/try/": photo,
    "POST api/v1/services": request_to_publish,
    "POST api/v1/services/<slug>/switch": lambda world: {"versions": [{"version": world.ids["versions"]}]},
    "POST api/v1/services/<slug>/tokens": name,
    "POST api/v1/services/<slug>/predict": photo,
    "POST api/v1/services/<slug>/feedback": lambda world: {
        "prediction": world.ids["predictions"],
        "label": "red",
    },
}
