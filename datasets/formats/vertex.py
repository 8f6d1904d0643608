"""Vertex AI's JSON Lines for image classification.

https://cloud.google.com/vertex-ai/docs/image-data/classification/prepare-data
"""

from collections.abc import Mapping
from typing import Any

from datasets.formats.documents import Document, Said, split_of

ML_USE = "aiplatform.googleapis.com/ml_use"


def read(document: Document) -> list[Said] | None:
    """What the lines say."""
    objects = document.objects
    if not objects or "imageGcsUri" not in objects[0][1]:
        return None
    return [said(number, each) for number, each in objects]


def said(number: int, each: Mapping[str, Any]) -> Said:
    """One line."""
    path = each.get("imageGcsUri")
    if not isinstance(path, str) or not path:
        return Said(number, "", problem="manifest-row")
    one = each.get("classificationAnnotation")
    several = each.get("classificationAnnotations")
    annotations = [one] if isinstance(one, dict) else several if isinstance(several, list) else []
    labels = [
        str(note["displayName"]) for note in annotations if isinstance(note, dict) and "displayName" in note
    ]
    if len(labels) > 1:
        return Said(number, path, problem="manifest-labels")
    resource = each.get("dataItemResourceLabels")
    wish = split_of(resource.get(ML_USE)) if isinstance(resource, dict) else ""
    return Said(number, path, labels[0] if labels else "", wish)
