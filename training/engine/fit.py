"""Task `fit`: read, fit within the budget, calibrate, write the model file and say what came of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import onnx

from training.engine import head, scratch
from training.engine.data import Part, class_weights, read_parts
from training.engine.export import library_versions, with_head, with_metadata
from training.engine.loop import Ended, FittedModule, pl, run
from training.engine.metrics import calibration_error
from training.engine.progress import tell
from training.engine.refusals import EngineRefusal
from training.engine.spec import FitTask
from training.engine.temperature import fitted_temperature
from training.engine.weights import sha256_of

MODEL = "model.onnx"
# Seconds kept back from the budget for calibration and the model file (measured: about 1 and 3).
_WRITING = {"head": 2.0, "scratch": 5.0}


def fit(task: FitTask, started: float) -> dict[str, Any]:
    """Write `model.onnx`; the answer is the result. `started` is time.monotonic() at the process's start.

    The graph: `images` uint8 [n, size, size, 3] -> `scores` float32 [n, k] (temperature inside) and `embedding`
    float32 [n, d]. Raises EngineRefusal.
    """
    method = "head" if task.features is not None else "scratch"
    train, validation = read_parts(task)
    pl.seed_everything(task.seed, verbose=False)
    weights = class_weights(task, train.targets)
    deadline = started + task.seconds - min(_WRITING[method], 0.3 * task.seconds)
    if method == "head":
        module: FittedModule = head.new_head(task, train, weights, started)
        ended = run(module, train, validation, head.plan(task, train, deadline))
    else:
        module = scratch.new_network(task, train, weights, started)
        ended = run(module, train, validation, scratch.plan(task, train, deadline))
    return _written(task, method, module, validation, ended)


def _written(
    task: FitTask, method: str, module: FittedModule, validation: Part, ended: Ended
) -> dict[str, Any]:
    best = module.best
    if best is None:
        raise EngineRefusal("nothing-learnt", "The time limit was too short for a single step.")
    tell("stage", stage="exporting")
    temperature = fitted_temperature(best.logits, validation.targets)
    about = {
        **task.about,
        "kind": method,
        "temperature": temperature,
        "optimise_for": task.optimise_for,
        "versions": library_versions(),
    }
    path = Path(task.work_folder) / MODEL
    with_metadata(
        _model(task, module, temperature), path, labels=task.labels, pixel_spec=task.pixel_spec, taxon=about
    )
    return {
        "method": method,
        "ended_because": ended,
        "epochs": module.history[-1]["epoch"],
        "best_epoch": best.epoch,
        "history": module.history,
        "temperature": temperature,
        "validation": {
            **best.scores,
            "loss": best.loss,
            "pictures": len(validation),
            "calibration_error": calibration_error(best.logits / temperature, validation.targets),
            "calibration_error_before": calibration_error(best.logits, validation.targets),
        },
        "chosen": module.chosen(),
        "versions": library_versions(),
        "file": MODEL,
        "sha256": sha256_of(path),
        "fitted_in": time.monotonic() - module.started,
    }


def _model(task: FitTask, module: FittedModule, temperature: float) -> onnx.ModelProto:
    assert module.best is not None
    if isinstance(module, head.Head):
        extractor = _extractor(task, module.weight.shape[1])
        return with_head(extractor, *head.folded(module, module.best.weights, temperature))
    assert isinstance(module, scratch.Scratch)
    return scratch.exported(module, module.best.weights, temperature)


def _extractor(task: FitTask, dimensions: int) -> onnx.ModelProto:
    try:
        model = onnx.load(str(task.extractor), load_external_data=False)
    except (OSError, ValueError, onnx.checker.ValidationError) as error:
        raise EngineRefusal("extractor-unreadable", "The feature extractor's file cannot be read.") from error
    shapes = {each.name: each.type.tensor_type.shape.dim for each in model.graph.output}
    if "embedding" not in shapes or shapes["embedding"][-1].dim_value not in (0, dimensions):
        raise EngineRefusal(
            "extractor-differs", f"The feature extractor does not give {dimensions} features."
        )
    return model
