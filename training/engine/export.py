"""Writing ONNX files: one file each, checked, with the labels and the pixel path inside.

The legacy exporter is used on purpose: ten times faster than the newer one, with the same numbers
(docs/training-choices.md).
"""

from __future__ import annotations

import io
import json
import platform
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

OPSET = 17
ENGINE_VERSION = 1  # what wrote a file; goes up when the same task would give another file


def library_versions() -> dict[str, str]:
    """What this was made with."""
    names = ("torch", "torchvision", "pytorch-lightning", "onnx", "numpy")
    return {
        "engine": str(ENGINE_VERSION),
        "python": platform.python_version(),
        **{n: version(n) for n in names},
    }


def export_network(network: nn.Module, example: torch.Tensor, outputs: list[str]) -> onnx.ModelProto:
    """`network` as ONNX with input `images` like `example`, any number of pictures, and these outputs."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():  # the exporter says that it is the old one, and that traces are traces
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.eval(),
            (example,),
            buffer,
            input_names=["images"],
            output_names=outputs,
            dynamic_axes={name: {0: "n"} for name in ["images", *outputs]},
            opset_version=OPSET,
            dynamo=False,
        )
    return onnx.load_model_from_string(buffer.getvalue())


def with_head(extractor: onnx.ModelProto, weight: np.ndarray, bias: np.ndarray) -> onnx.ModelProto:
    """The extractor's very graph with `scores = softmax(embedding @ weight.T + bias)` appended.

    `weight` [k, d] and `bias` [k] already hold standardisation and temperature. The backbone is not exported
    anew, so the model sees exactly the features that the head was fitted on.
    """
    model = onnx.ModelProto()
    model.CopyFrom(extractor)
    graph = model.graph
    weight, bias = np.asarray(weight, np.float32), np.asarray(bias, np.float32)
    graph.initializer.extend(
        [numpy_helper.from_array(weight, "taxon_weight"), numpy_helper.from_array(bias, "taxon_bias")]
    )
    graph.node.extend(
        [
            helper.make_node(
                "Gemm", ["embedding", "taxon_weight", "taxon_bias"], ["taxon_logits"], "taxon_head", transB=1
            ),
            helper.make_node("Softmax", ["taxon_logits"], ["scores"], "taxon_softmax", axis=1),
        ]
    )
    embedding = graph.output.pop()
    graph.output.extend(
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", len(bias)]), embedding]
    )
    return model


def with_metadata(model: onnx.ModelProto, path: Path, **properties: Any) -> None:
    """Write `model` with these properties (strings as they are, the rest as JSON), checked, in one piece."""
    texts = {
        key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for key, value in properties.items()
    }
    del model.metadata_props[:]
    helper.set_model_props(model, texts)
    onnx.checker.check_model(model, full_check=True)
    part = path.with_name(path.name + ".part")
    onnx.save_model(model, part)
    part.replace(path)
