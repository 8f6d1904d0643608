"""What a model file must say about itself before it may answer: inputs, outputs, labels, pixel spec."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from datasets.pixels import PixelSpec

IMAGES, SCORES, EMBEDDING = "images", "scores", "embedding"


class ModelFileError(ValueError):
    """A file that is not one of our models; the text says what is wrong with it."""


@dataclass(frozen=True)
class Signature:
    """What a model file promises.

    `labels`: in the order of the columns of `scores`. `spec`: how a picture becomes its input.
    `taxon`: where the file comes from (model, version, …), as training wrote it.
    """

    labels: tuple[str, ...]
    spec: PixelSpec
    taxon: Mapping[str, Any]

    @classmethod
    def read(cls, metadata: Mapping[str, str], inputs: list[Any], outputs: list[Any]) -> "Signature":
        """Read and check metadata, inputs and outputs as ONNX Runtime reports them; raises ModelFileError."""
        labels = _labels(metadata)
        try:
            spec = PixelSpec.from_json(metadata.get("pixel_spec", ""))
        except ValueError as error:
            raise ModelFileError(
                f"The model file has no pixel spec that can be carried out: {error}"
            ) from error
        if [(value.name, value.type) for value in inputs] != [(IMAGES, "tensor(uint8)")]:
            raise ModelFileError("The model file must take one input, “images”, of uint8.")
        named = {value.name: value for value in outputs}
        if SCORES not in named or EMBEDDING not in named:
            raise ModelFileError("The model file must give “scores” and “embedding”.")
        columns = named[SCORES].shape[-1]
        if isinstance(columns, int) and columns != len(labels):
            raise ModelFileError(f"The model file names {len(labels)} labels but gives {columns} scores.")
        return cls(labels, spec, _object(metadata.get("taxon", "{}")))


def _labels(metadata: Mapping[str, str]) -> tuple[str, ...]:
    try:
        labels = json.loads(metadata.get("labels", ""))
    except ValueError as error:
        raise ModelFileError("The model file does not say its labels.") from error
    if not isinstance(labels, list) or not labels or not all(isinstance(label, str) for label in labels):
        raise ModelFileError("The model file does not say its labels.")
    return tuple(labels)


def _object(text: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
