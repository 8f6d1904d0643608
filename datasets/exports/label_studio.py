"""Label Studio's tasks with one choice a picture, for its local files. https://labelstud.io/guide/tasks"""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from datasets.exports.arranging import Arrangement, Picture, in_one_folder


def arrange(pictures: Sequence[Picture]) -> Arrangement:
    """One folder, one list of tasks."""
    paths = in_one_folder(pictures)
    tasks = [task(path, each) for path, each in zip(paths, pictures, strict=True)]
    return Arrangement(paths, [("tasks.json", json.dumps(tasks, indent=1).encode())])


def task(path: str, picture: Picture) -> dict[str, Any]:
    """One picture; without a label it has nothing in its annotations."""
    data = {"image": f"/data/local-files/?d={quote(path)}"}
    if picture.split:
        data["split"] = picture.split
    choice = {
        "from_name": "choice",
        "to_name": "image",
        "type": "choices",
        "value": {"choices": [picture.label]},
    }
    return {"data": data, "annotations": [{"result": [choice]}] if picture.label else []}
