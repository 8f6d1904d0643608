"""Tries a model file that a person brought, in a process of its own: `python -m training.own_trial FOLDER`.

The folder holds `given.onnx` and `trial.json` ({"labels": [...] or null}); the answer goes to `result.json`: what the
file is, beside `model.onnx`, the same graph with our metadata; or {"refused": code, …}. No Django, nothing unpickled,
no file but the given one is opened; memory and time are bounded by whoever starts it and by `bounded`.
"""

from __future__ import annotations

import hashlib
import json
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper

from datasets.pixels import PixelSpec, spec_for

RESULT = "result.json"
MEMORY = 6 * 1024**3
OPSETS = (9, 25)
DOMAINS = ("", "ai.onnx")
# Loops may never end, and what draws lots answers the same picture differently each time.
NEVER = frozenset(
    ("Loop", "Scan", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial",
     "Bernoulli")
)  # fmt: skip
SMALLEST, LARGEST = 32, 1024
CLOSE = 0.01


class Refused(Exception):
    """The file will not do. `values` fill the sentence that the site has for the code."""

    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(code)
        self.code, self.values = code, values


def bounded() -> None:
    """No more memory than this, and no new files beyond what a model may be."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def tried(folder: Path) -> dict[str, Any]:
    """What the file is; writes `model.onnx`. Raises Refused."""
    asked = json.loads((folder / "trial.json").read_text("utf-8"))
    model = read((folder / "given.onnx").read_bytes())
    operators = refuse_what_is_not_taken(model)
    try:
        onnx.checker.check_model(model, full_check=True)
    except Exception as error:  # its own kinds, and RuntimeError from beneath
        raise Refused("not-valid", reason=first_line(error)) from error
    size, columns = signature(model)
    labels = labels_of(model, asked["labels"], columns)
    spec = spec_of(model, size)
    name_ourselves(model, labels, spec)
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    run_it(path, size, columns)
    return {
        "labels": labels,
        "pixel_spec": spec.to_json(),
        "opset": opset_of(model),
        "operators": operators,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "libraries": {"onnx": onnx.__version__, "onnxruntime": ort.__version__, "numpy": np.__version__},
    }


def read(data: bytes) -> onnx.ModelProto:
    """The file as ONNX; what it names outside of itself is never opened."""
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except Exception as error:  # protobuf's DecodeError, by whichever of its libraries
        raise Refused("not-onnx") from error
    if not model.graph.node or not model.opset_import:
        raise Refused("not-onnx")
    return model


def refuse_what_is_not_taken(model: onnx.ModelProto) -> list[str]:
    """External data, foreign operators, functions, loops and chance; the operators that are left, by name."""
    if any(uses_external(tensor) for tensor in tensors(model.graph)):
        raise Refused("external-data")
    foreign = sorted({each.domain for each in model.opset_import} - set(DOMAINS))
    nodes = list(all_nodes(model.graph))
    foreign = foreign or sorted({node.domain for node in nodes} - set(DOMAINS))
    if foreign or model.functions:
        raise Refused("foreign-operators", domain=foreign[0] if foreign else "functions")
    opset = opset_of(model)
    if not OPSETS[0] <= opset <= OPSETS[1]:
        raise Refused("opset", opset=opset, least=OPSETS[0], most=OPSETS[1])
    operators = sorted({node.op_type for node in nodes})
    never = sorted(NEVER & set(operators))
    if never:
        raise Refused("operator-not-taken", operator=never[0])
    return operators


def opset_of(model: onnx.ModelProto) -> int:
    """The version of the standard operators; 0 where it names none."""
    return max((each.version for each in model.opset_import if each.domain in DOMAINS), default=0)


def all_nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """Every node, those inside branches too."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in [attribute.g, *attribute.graphs]:
                yield from all_nodes(inner)


def tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    """Every tensor that a graph carries."""
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in graph.node:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            for sparse in [attribute.sparse_tensor, *attribute.sparse_tensors]:
                yield from (sparse.values, sparse.indices)
            for inner in [attribute.g, *attribute.graphs]:
                yield from tensors(inner)


def uses_external(tensor: onnx.TensorProto) -> bool:
    """Its numbers lie in another file."""
    return tensor.data_location == TensorProto.EXTERNAL or bool(tensor.external_data)


def shape_of(value: onnx.ValueInfoProto) -> list[int | None]:
    """The shape; None where a side is free."""
    sides = value.type.tensor_type.shape.dim
    return [side.dim_value if side.HasField("dim_value") else None for side in sides]


def signature(model: onnx.ModelProto) -> tuple[int, int]:
    """The side of the input and the columns of `scores`."""
    graph = model.graph
    constants = {each.name for each in graph.initializer}
    inputs = [each for each in graph.input if each.name not in constants]
    if [each.name for each in inputs] != ["images"]:
        raise Refused("input", found=", ".join(each.name for each in inputs)[:80] or "–")
    kind, shape = inputs[0].type.tensor_type.elem_type, shape_of(inputs[0])
    square = len(shape) == 4 and shape[1] == shape[2] and shape[3] == 3 and shape[0] in (None, 1)
    if kind != TensorProto.UINT8 or not square or not shape[1]:
        raise Refused("input-shape", found=str(["n" if each is None else each for each in shape])[:80])
    if not SMALLEST <= shape[1] <= LARGEST:
        raise Refused("input-size", found=shape[1], least=SMALLEST, most=LARGEST)
    outputs = {each.name: each for each in graph.output}
    for name in ("scores", "embedding"):
        if name not in outputs or outputs[name].type.tensor_type.elem_type != TensorProto.FLOAT:
            raise Refused("output", name=name)
    columns = shape_of(outputs["scores"])
    if len(columns) != 2 or not columns[1]:
        raise Refused("output", name="scores")
    return shape[1], columns[1]


def labels_of(model: onnx.ModelProto, given: list[str] | None, columns: int) -> list[str]:
    """The labels as given, else as the file says; one for each column."""
    labels: Any = given
    if labels is None:
        try:
            labels = json.loads(metadata(model).get("labels", ""))
        except ValueError as error:
            raise Refused("no-labels") from error
    if not isinstance(labels, list) or not all(isinstance(each, str) and each.strip() for each in labels):
        raise Refused("no-labels")
    if len(labels) != columns or len(set(labels)) != len(labels) or len(labels) < 2:
        raise Refused("labels-do-not-fit", labels=len(labels), columns=columns)
    return labels


def metadata(model: onnx.ModelProto) -> dict[str, str]:
    """What the file says about itself."""
    return {each.key: each.value for each in model.metadata_props}


def spec_of(model: onnx.ModelProto, size: int) -> PixelSpec:
    """The pixel spec that the file names, else the usual one of its size."""
    try:
        named = metadata(model).get("pixel_spec")
        spec = PixelSpec.from_json(named) if named else spec_for(size)
    except ValueError as error:
        raise Refused("pixel-spec") from error
    if spec.size != size:
        raise Refused("pixel-spec")
    return spec


def name_ourselves(model: onnx.ModelProto, labels: list[str], spec: PixelSpec) -> None:
    """Put the labels and the pixel spec into the file, as serving reads them; nothing else of its words stays."""
    about = {"method": "own"}
    del model.metadata_props[:]
    helper.set_model_props(
        model,
        {
            "labels": json.dumps(labels, ensure_ascii=False),
            "pixel_spec": spec.to_json(),
            "taxon": json.dumps(about),
        },
    )


def run_it(path: Path, size: int, columns: int) -> None:
    """Open and run it as serving does: one picture at a time, probabilities out, the same each time."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        chance = np.random.default_rng(0).integers(0, 256, (1, size, size, 3), dtype=np.uint8)
        answers = [
            session.run(["scores", "embedding"], {"images": each})
            for each in (np.zeros_like(chance), chance, chance)
        ]
    except Exception as error:  # whatever ONNX Runtime raises: it cannot run the file
        raise Refused("does-not-run", reason=first_line(error)) from error
    for scores, embedding in answers:
        if scores.shape != (1, columns) or embedding.ndim != 2 or len(embedding) != 1:
            raise Refused("answers-odd")
        if not (np.isfinite(embedding).all() and np.isfinite(scores).all()):
            raise Refused("answers-odd")
        if scores.min() < 0 or abs(float(scores.sum()) - 1) > CLOSE:
            raise Refused("not-probabilities")
    if not np.array_equal(answers[1][0], answers[2][0]):
        raise Refused("answers-odd")


def first_line(error: Exception) -> str:
    """What a library says, short, without paths."""
    text = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return " ".join(word for word in text.split() if "/" not in word)[:200]


def main(folder: Path) -> None:
    """Write the answer."""
    bounded()
    try:
        answer = tried(folder)
    except Refused as refused:
        answer = {"refused": refused.code, "values": refused.values}
    except MemoryError:
        answer = {"refused": "too-heavy", "values": {}}
    (folder / RESULT).write_text(json.dumps(answer, ensure_ascii=False), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
