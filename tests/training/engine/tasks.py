"""Small fits for the tests: points in a few clouds, an extractor that is one matrix, and the real process."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from training.engine.spec import HELD_BACK, TRAIN, VALIDATION, ExtractorTask, FitTask, Task, write_spec

Array = np.ndarray
ROOT = Path(__file__).resolve().parents[3]
SIDE, WIDTH = 16, 12
PIXEL_SPEC = {"version": 1, "size": SIDE, "fit": "stretch", "filter": "bilinear", "draft": 2}
LABELS = ["狗", "cat", "直升机"]


@dataclass(frozen=True)
class Answer:
    """What a run of the engine gave: exit code, lines, result (None where there is none)."""

    code: int
    lines: list[dict[str, Any]]
    result: dict[str, Any]
    errors: str

    def of(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["event"] == event]


def started(task: Task) -> "subprocess.Popen[str]":
    """The engine at work on `task`, as the product starts it."""
    spec = Path(task.work_folder) / "spec.json"
    spec.parent.mkdir(parents=True, exist_ok=True)
    write_spec(task, spec)
    return subprocess.Popen(
        [sys.executable, "-m", "training.engine", str(spec)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(task: Task) -> Answer:
    """`task` carried out by the engine in its own process; every line on stdout must be JSON."""
    process = started(task)
    out, errors = process.communicate(timeout=180)
    result = Path(task.work_folder) / "result.json"
    return Answer(
        process.returncode,
        [json.loads(line) for line in out.splitlines()],
        json.loads(result.read_text("utf-8")) if result.is_file() else {},
        errors,
    )


def fit_here(task: FitTask) -> dict[str, Any]:
    """`task` carried out in this process: quicker where the process is not what is tested."""
    from training.engine.fit import fit

    Path(task.work_folder).mkdir(parents=True, exist_ok=True)
    return fit(task, time.monotonic())


def extracted_here(task: ExtractorTask) -> dict[str, Any]:
    """The same for an extractor; raises EngineRefusal."""
    from training.engine.extractor import build_extractor

    Path(task.work_folder).mkdir(parents=True, exist_ok=True)
    return build_extractor(task)


def lines_of(process: "subprocess.Popen[str]") -> Iterator[dict[str, Any]]:
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)


def clouds(pictures: int = 300, spread: float = 1.6, labels: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Features float16 [n, WIDTH] around one centre a label, and targets int64 [n]."""
    random = np.random.default_rng(4)
    centres = random.normal(0, 1, (labels, WIDTH))
    targets = np.arange(pictures) % labels
    scale = np.geomspace(0.01, 30, WIDTH)  # features of very unequal size, as networks give them
    features = (centres[targets] + random.normal(0, spread, (pictures, WIDTH))) * scale + 5 * scale
    return features.astype(np.float16), targets.astype(np.int64)


def split_of(pictures: int) -> np.ndarray:
    """Six tenths to train, two to validate, two held back, each with every label."""
    turn = np.arange(pictures) // 3 % 5
    return np.select([turn < 3, turn == 3], [TRAIN, VALIDATION], HELD_BACK).astype(np.uint8)


def matrix_extractor(path: Path) -> np.ndarray:
    """A feature extractor of one product, embedding = mean colour of each picture @ matrix [3, WIDTH]."""
    matrix = np.random.default_rng(1).normal(0, 1, (3, WIDTH)).astype(np.float32)
    nodes = [
        helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats"], ["means"], axes=[1, 2], keepdims=0),
        helper.make_node("MatMul", ["means", "matrix"], ["embedding"]),
    ]
    graph = helper.make_graph(
        nodes,
        "extractor",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", SIDE, SIDE, 3])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", WIDTH])],
        [numpy_helper.from_array(matrix, "matrix")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save_model(model, path)
    return matrix


def head_task(folder: Path, features: Array, targets: Array, split: Array, **fields: Any) -> FitTask:
    """A fit of a head on these arrays, written where the task says."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "features.npy", features)
    matrix_extractor(folder / "extractor.onnx")
    names = LABELS if targets.max() < 3 else [f"label {number}" for number in range(targets.max() + 1)]
    task = FitTask(
        work_folder=str(folder / "work"),
        features=str(folder / "features.npy"),
        extractor=str(folder / "extractor.onnx"),
        targets=str(folder / "targets.npy"),
        split=str(folder / "split.npy"),
        labels=names,
        pixel_spec=PIXEL_SPEC,
        seconds=60,
        max_epochs=60,
    )
    return _with_arrays(folder, task, targets, split, **fields)


def scratch_task(folder: Path, pixels: Array, targets: Array, split: Array, **fields: Any) -> FitTask:
    """A fit from scratch on these pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "pixels.npy", pixels)
    task = FitTask(
        work_folder=str(folder / "work"),
        pixels=str(folder / "pixels.npy"),
        targets=str(folder / "targets.npy"),
        split=str(folder / "split.npy"),
        labels=LABELS,
        pixel_spec={**PIXEL_SPEC, "size": pixels.shape[1]},
        seconds=60,
    )
    return _with_arrays(folder, task, targets, split, **fields)


def _with_arrays(folder: Path, task: FitTask, targets: Array, split: Array, **fields: Any) -> FitTask:
    np.save(folder / "targets.npy", targets)
    np.save(folder / "split.npy", split)
    return replace(task, **fields)


def shapes(pictures: int = 180, side: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """Discs, squares and crosses in any colour and place: uint8 [n, side, side, 3] and targets."""
    random = np.random.default_rng(2)
    y, x = np.mgrid[0:side, 0:side]
    targets = np.arange(pictures) % 3
    pixels = random.integers(0, 60, (pictures, side, side, 3))
    for picture, target in zip(pixels, targets, strict=True):
        across, down = random.integers(11, side - 11, 2)
        reach = random.integers(6, 10)
        dx, dy = abs(x - across), abs(y - down)
        inside = [dx**2 + dy**2 < reach**2, (dx < reach) & (dy < reach), np.minimum(dx, dy) < 2][target]
        picture[inside & (np.maximum(dx, dy) < reach)] = random.integers(120, 255, 3)
    return pixels.astype(np.uint8), targets.astype(np.int64)


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def tune_task(folder: Path, pixels: Array, targets: Array, split: Array, **fields: Any) -> FitTask:
    """A fine-tuning on these pictures, of a network whose weights are random numbers."""
    import torch

    from training.engine.torchvision_import import torchvision

    weights = folder / "weights" / "mobilenet_v3_small.pth"
    weights.parent.mkdir(parents=True)
    torch.manual_seed(1)
    torch.save(torchvision.models.get_model("mobilenet_v3_small", weights=None).state_dict(), weights)
    fields = {"backbone": "mobilenet_v3_small", "weights_folder": str(weights.parent), **fields}
    return scratch_task(folder, pixels, targets, split, **fields)
