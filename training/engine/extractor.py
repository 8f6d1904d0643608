"""Task `extractor`: a pretrained backbone becomes an ONNX file that turns pictures into features."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from datasets.pixels import PixelSpec
from training.engine.backbones import feature_network, must_take
from training.engine.export import export_network, library_versions, with_metadata
from training.engine.progress import tell
from training.engine.refusals import EngineRefusal
from training.engine.spec import ExtractorTask
from training.engine.weights import FoundWeights, find_weights, sha256_of

MODEL = "extractor.onnx"


def build_extractor(task: ExtractorTask) -> dict[str, Any]:
    """Write `extractor.onnx` into the work folder; the answer is the result.

    The graph: `images` uint8 [n, size, size, 3] (RGB, through the pixel path) -> `embedding` float32
    [n, d], the pooled penultimate layer, normalisation inside. Its `name` says backbone, weights and pixel
    spec: equal names give equal features. Raises EngineRefusal (`no-weights`, `unknown-backbone`,
    `weights-unreadable`, `weights-do-not-fit`, `size-not-possible`).
    """
    spec = PixelSpec.from_json(json.dumps(task.pixel_spec))
    must_take(task.backbone, spec.size)
    found = _weights(task)
    tell("stage", stage="exporting")
    network = feature_network(task.backbone, found)
    path = Path(task.work_folder) / MODEL
    example = torch.zeros(2, spec.size, spec.size, 3, dtype=torch.uint8)
    model = export_network(network, example, outputs=["embedding"])
    name = f"{task.backbone}-{found.sha256[:8]}-{spec.key}"
    about = {
        "kind": "extractor",
        "name": name,
        "backbone": task.backbone,
        "weights": {"file": found.path.name, "sha256": found.sha256, "source": found.source},
        "versions": library_versions(),
    }
    with_metadata(model, path, pixel_spec=spec.to_json(), taxon=about)
    with torch.inference_mode():
        dimensions = int(network(example).shape[1])
    return {**about, "file": MODEL, "sha256": sha256_of(path), "dimensions": dimensions}


def _weights(task: ExtractorTask) -> FoundWeights:
    found = find_weights(
        task.backbone,
        folder=Path(task.weights_folder) if task.weights_folder else None,
        download=task.download,
        download_folder=Path(task.download_folder) if task.download_folder else None,
    )
    if found is None:
        raise EngineRefusal(
            "no-weights",
            f"There are no weights for {task.backbone}: none in the weights folder, and none from the hub. "
            f"Put {task.backbone}.pth into the folder that TAXON_WEIGHTS_DIR names.",
        )
    return found
