"""How long a first model takes beside the bare work of looking at each picture once: `make bench`.

From the request to the running product until the version is done: queue, worker, engine's start, features, fit,
evaluation, report. The bare loop takes each picture through the pixel path and the backbone in ONNX Runtime, with as
many threads as a training gets. Nothing is asserted about time. TAXON_BENCH_PICTURES: how many (1,000).
"""

import os
import time
from pathlib import Path

import numpy as np
import pytest

from datasets.pixels import spec_for, to_pixels
from tests.benchmarks.fit_measurement import extractor_for
from tests.benchmarks.outside import Owner, Took, photographs
from tests.product import Product
from training.engine_process import threads

COUNT = int(os.environ.get("TAXON_BENCH_PICTURES", "1000"))
BATCH, ALLOWED, BESIDE, AGAIN = 16, 1.5, 15.0, 15.0


@pytest.mark.slow
def test_a_first_model_against_looking_at_each_picture_once(
    product: Product, shared_data: Path, weights_dir: Path, tmp_path: Path
) -> None:
    owner, pictures = Owner(product), photographs(shared_data, COUNT)
    before = bare(list(pictures.values()), weights_dir, tmp_path)
    dataset = owner.bring(pictures)
    first, _, path = owner.train(dataset, fine_tuning="off")
    relabelled = relabel(owner, dataset, COUNT // 10)
    again, _, _ = owner.train(dataset, fine_tuning="off")
    after = bare(list(pictures.values()), weights_dir, tmp_path)
    loop = Took((before.clock + after.clock) / 2, (before.processor + after.processor) / 2)
    print(f"\n{COUNT:,} pictures, 5 labels. Bare loop before and after: {before}, {after}")
    print(f"First model: {first}; {first.over(loop)}; {excess(first, loop)}; {stages(owner, path)}")
    print(f"After {relabelled} other labels: {again}; allowed are {AGAIN:.0f} s")


def excess(took: Took, loop: Took) -> str:
    """What is used of what is allowed."""
    parts = [
        f"{mine:.1f} of {ALLOWED * bare + BESIDE:.1f} s {what}"
        for mine, bare, what in (
            (took.clock, loop.clock, "by the clock"),
            (took.processor, loop.processor, "of the processor"),
        )
    ]
    return f"allowed are {ALLOWED} times the loop and {BESIDE:.0f} s: " + ", ".join(parts)


def stages(owner: Owner, path: str) -> str:
    """What the report tells of the making."""
    about = owner.get(f"{path}/report")["about"]
    fit = ", ".join(f"{each['method']} {each['seconds']} s" for each in about["tried"])
    return f"{about['seconds']} s in the job, of these {fit}"


def relabel(owner: Owner, dataset: int, count: int) -> int:
    """Give so many pictures the label after theirs; how many changed."""
    labels = [each["name"] for each in owner.get(f"/datasets/{dataset}/labels")["items"]]
    address, others = (
        f"/datasets/{dataset}/images?limit={-(-count // len(labels))}&label=",
        labels[1:] + labels[:1],
    )
    some = [[each["id"] for each in owner.get(address + label)["items"]] for label in labels]
    asked = [{"images": images, "label": label} for images, label in zip(some, others, strict=True)]
    return sum(owner.post(f"/datasets/{dataset}/tag", 200, json=each)["changed"] for each in asked)


def bare(pictures: list[bytes], weights: Path, folder: Path) -> Took:
    """Each picture once through the pixel path and the backbone; the file is made before the clock runs."""
    import onnxruntime

    spec = spec_for(224)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads(), 1
    if not (folder / spec.key).exists():
        extractor_for(spec, folder, weights)
    session = onnxruntime.InferenceSession(folder / spec.key / "extractor.onnx", options)
    began, worked = time.perf_counter(), time.process_time()
    for start in range(0, len(pictures), BATCH):
        some = np.stack([to_pixels(content, spec) for content in pictures[start : start + BATCH]])
        session.run(["embedding"], {"images": some})
    return Took(time.perf_counter() - began, time.process_time() - worked)
