"""Vertex AI's JSON Lines for image classification.

https://cloud.google.com/vertex-ai/docs/image-data/classification/prepare-data
"""

import json
from collections.abc import Sequence
from typing import Any

from datasets.exports.arranging import Arrangement, Picture, in_one_folder
from datasets.formats.vertex import ML_USE

BUCKET = "gs://BUCKET/"
USES = {"train": "training", "validation": "validation", "test": "test"}


def arrange(pictures: Sequence[Picture]) -> Arrangement:
    """One folder, one line a picture."""
    paths = in_one_folder(pictures)
    lines = [json.dumps(line(path, each)) + "\n" for path, each in zip(paths, pictures, strict=True)]
    return Arrangement(paths, [("dataset.jsonl", "".join(lines).encode())])


def line(path: str, picture: Picture) -> dict[str, Any]:
    """One picture."""
    found: dict[str, Any] = {"imageGcsUri": BUCKET + path}
    if picture.label:
        found["classificationAnnotation"] = {"displayName": picture.label}
    if picture.split:
        found["dataItemResourceLabels"] = {ML_USE: USES[picture.split]}
    return found
