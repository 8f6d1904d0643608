"""Task `fit`: read, fit within the budget, calibrate, write the model file and say what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx
import torch
from torch.nn import functional

from training.engine import head, kept, ranks, scratch, tune
from training.engine.data import Part, class_weights, read_parts
from training.engine.export import library_versions, with_head, with_metadata
from training.engine.lightning_import import pl
from training.engine.loop import Best, Ended, FittedModule, run
from training.engine.metrics import calibration_error
from training.engine.progress import tell
from training.engine.refusals import EngineRefusal
from training.engine.spec import FitTask
from training.engine.temperature import fitted_temperature
from training.engine.weights import sha256_of

MODEL = "model.onnx"
# Kept back from the budget for calibration and the model file (measured: about 1 s and 2 s on an idle core).
HEAD_WRITING_SECONDS, SCRATCH_WRITING_SECONDS, TUNED_WRITING_SECONDS = 2.0, 5.0, 8.0


@dataclass(frozen=True)
class Fitted:
    """What a method hands back: the module with its best, why it ended, the model file at a temperature, and the
    weights that a later fit may go on from."""

    method: str
    module: FittedModule
    ended: Ended
    model: Callable[[float], onnx.ModelProto]
    tensors: dict[str, torch.Tensor]
    refitted: bool = False


def fit(task: FitTask, started: float) -> dict[str, Any]:
    """Write `model.onnx`; the answer is the result, empty in all but the first of several processes.

    `started` is time.monotonic() at the process's start.
    The graph: `images` uint8 [n, size, size, 3] -> `scores` float32 [n, k] (temperature inside) and
    `embedding` float32 [n, d]. Raises EngineRefusal.
    """
    train, validation = read_parts(task)
    pl.seed_everything(task.seed, verbose=False)
    method = _fit_head if task.features else _fit_tuned if task.backbone else _fit_scratch
    fitted = method(task, train, validation, started)
    return {} if ranks.here().rank else _written(task, fitted, validation)


def _fit_head(task: FitTask, train: Part, validation: Part, started: float) -> Fitted:
    extractor = _extractor(task, train.inputs.shape[1])
    deadline = _deadline(task, started, HEAD_WRITING_SECONDS)
    module = head.new_head(task, train, class_weights(task, train.targets), started)
    ended = run(module, train, validation, head.plan(task, train, deadline))
    assert module.best is not None
    weights, source = module.best.weights, module
    again = head.refitted(module, train, validation, deadline) if ended == "converged" else None
    if again is not None:
        weights, source = again.candidate_weights(0), again
    return Fitted(
        "head",
        module,
        ended,
        lambda t: with_head(extractor, *head.folded(source, weights, t)),
        dict(zip(kept.CLASSIFIER, map(torch.from_numpy, head.folded(source, weights, 1.0)), strict=True)),
        again is not None,
    )


def _fit_scratch(task: FitTask, train: Part, validation: Part, started: float) -> Fitted:
    deadline = _deadline(task, started, SCRATCH_WRITING_SECONDS)
    module = scratch.new_network(task, train, class_weights(task, train.targets), started)
    ended = run(module, train, validation, scratch.plan(task, train, deadline))
    best = module.best
    assert best is not None
    return Fitted("scratch", module, ended, lambda t: scratch.exported(module, best.weights, t), best.weights)


def _fit_tuned(task: FitTask, train: Part, validation: Part, started: float) -> Fitted:
    ranks.connect()
    deadline = _deadline(task, started, TUNED_WRITING_SECONDS)
    module, ended = tune.fitted(task, train, validation, started, deadline)
    ranks.leave()
    best = module.best
    assert best is not None
    return Fitted("fine-tuned", module, ended, lambda t: tune.exported(module, best.weights, t), best.weights)


def _deadline(task: FitTask, started: float, writing: float) -> float:
    return started + task.seconds - min(writing, 0.3 * task.seconds)


def _written(task: FitTask, fitted: Fitted, validation: Part) -> dict[str, Any]:
    module, best = fitted.module, fitted.module.best
    assert best is not None
    tell("stage", stage="exporting")
    temperature = fitted_temperature(best.logits, validation.targets)
    about = {
        **task.about,
        "kind": fitted.method,
        "temperature": temperature,
        "optimise_for": task.optimise_for,
        "versions": library_versions(),
    }
    path = Path(task.work_folder) / MODEL
    model = fitted.model(temperature)
    with_metadata(model, path, labels=task.labels, pixel_spec=task.pixel_spec, taxon=about)
    start = kept.Kept(fitted.method, task.backbone or "", task.labels, fitted.tensors)
    kept.write(start, Path(task.work_folder) / kept.FILE)
    return {
        "method": fitted.method,
        "ended_because": fitted.ended,
        "epochs": module.history[-1]["epoch"],
        "best_epoch": best.epoch,
        "refitted": fitted.refitted,
        "chosen": module.chosen(),
        "temperature": temperature,
        "validation": _validation(best, validation, temperature),
        "history": module.history,
        "versions": library_versions(),
        "file": MODEL,
        "weights": kept.FILE,
        "sha256": sha256_of(path),
    }


def _validation(best: Best, validation: Part, temperature: float) -> dict[str, float]:
    return {
        **best.scores,
        "loss": best.loss,
        "pictures": len(validation),
        "calibrated_loss": float(functional.cross_entropy(best.logits / temperature, validation.targets)),
        "calibration_error": calibration_error(best.logits / temperature, validation.targets),
        "calibration_error_before": calibration_error(best.logits, validation.targets),
    }


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
