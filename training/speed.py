"""How long a backbone takes for one picture on this machine: measured once by a worker, read by the pages."""

import hashlib
import json
import logging
import platform
import statistics
import time
from collections.abc import Callable

import numpy as np

from training.models import Extractor, Speed
from training.provenance import machine, processor
from web import storage

log = logging.getLogger(__name__)
WARM_UP, RUNS = 3, 11
ONLY_ERRORS = 3


def this_machine() -> str:
    """What stands for machines that are equally quick: the processor's name and number of cores."""
    named = {"processor": processor(), "architecture": platform.machine(), "cores": machine()["cores"]}
    return hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()[:16]


def measure_missing(look: Callable[[], None]) -> None:
    """Measure the extractors that were not on a machine like this. Workers only; `look` is called between runs."""
    here, faults = this_machine(), broken_files()
    for extractor in Extractor.objects.exclude(speeds__machine=here):
        try:
            seconds = measured(extractor, look)
        except faults as error:  # the next worker tries again
            log.warning(
                "the extractor %s was not measured (%s)", extractor.name, " ".join(str(error).split())
            )
            continue
        Speed.objects.get_or_create(
            extractor=extractor,
            machine=here,
            defaults={
                "milliseconds": round(1000 * seconds, 2),
                "file_bytes": storage.size_of(extractor.key) or 0,
                "processor": processor()[:120],
            },
        )


def milliseconds_here(extractor: Extractor) -> float | None:
    """One picture's time on a machine like this one; None where it was not measured."""
    return extractor.speeds.filter(machine=this_machine()).values_list("milliseconds", flat=True).first()


def broken_files() -> tuple[type[Exception], ...]:
    """What is raised for a file that is not there or damaged; ONNX Runtime has no common kind of its own."""
    from onnxruntime.capi import onnxruntime_pybind11_state as raised

    theirs = (
        raised.Fail,
        raised.InvalidArgument,
        raised.InvalidGraph,
        raised.InvalidProtobuf,
        raised.NoModel,
    )
    return OSError, raised.NoSuchFile, *theirs


def measured(extractor: Extractor, look: Callable[[], None]) -> float:
    """The median of some runs with one picture and one thread, as in serving, in seconds."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = ONLY_ERRORS
    with storage.local_copy(extractor.key) as path:
        session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    size = int(extractor.pixel_spec["size"])
    picture = np.random.default_rng(0).integers(0, 256, (1, size, size, 3), dtype=np.uint8)
    times = []
    for _ in range(WARM_UP + RUNS):
        look()
        began = time.perf_counter()
        session.run(["embedding"], {"images": picture})
        times.append(time.perf_counter() - began)
    return statistics.median(times[WARM_UP:])
