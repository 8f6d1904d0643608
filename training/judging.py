"""The job for a file that a person brought: try it apart, keep it under its hash, judge it as any other version."""

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_noop

from datasets.models import Snapshot
from datasets.snapshots import rows_of
from jobs.attempts import Attempt
from training import evaluation, manifest, own_files, pinned, predictions
from training.conclusion import conclude
from training.engine_process import KEPT_FROM_IT, ROOT
from training.extractors import work_folder
from training.manifest import Entry, Manifest
from training.models import EndedBecause, ModelVersion, VersionState
from training.own_trial import RESULT
from training.splitting import HELD_BACK
from training.versions import forget_file
from training.writing import Writer
from web import storage
from web.sentences import Refusal, Sentence

SECONDS, LOOK_EVERY = 120.0, 0.5
TRYING = Sentence(gettext_noop("Looking into the file."))
JUDGING = Sentence(gettext_noop("Measuring it on the pictures that you chose."))
JUDGED = Sentence(gettext_noop("Done: the file was judged."))
REASONS = {
    "not-onnx": gettext_noop("This is not an ONNX file."),
    "external-data": gettext_noop("Part of its numbers lie in another file; save the model as one file."),
    "foreign-operators": gettext_noop(
        "It uses operators that are not ONNX's own (%(domain)s); only the standard ones are run here."
    ),
    "opset": gettext_noop("It uses opset %(opset)s; from %(least)s to %(most)s can be run here."),
    "operator-not-taken": gettext_noop(
        "It uses the operator %(operator)s; loops and chance are not taken, as an answer could wait for ever or change."
    ),
    "not-valid": gettext_noop("The file is not valid ONNX: %(reason)s"),
    "input": gettext_noop("It must have one input, “images”; it has: %(found)s."),
    "input-shape": gettext_noop(
        "The input “images” must be uint8 with the shape [n, s, s, 3] (pictures, side, side, RGB); it is %(found)s."
    ),
    "input-size": gettext_noop(
        "The pictures' side must be from %(least)s to %(most)s pixels; it is %(found)s."
    ),
    "output": gettext_noop(
        "It must give “scores”, float [n, labels], and “embedding”, float [n, d]; “%(name)s” is missing or different."
    ),
    "no-labels": gettext_noop("The file does not say its labels; give them with it."),
    "labels-do-not-fit": gettext_noop(
        "%(labels)s labels for %(columns)s scores: give each score its label, each once."
    ),
    "pixel-spec": gettext_noop("Its pixel spec is not one that can be carried out for its input."),
    "does-not-run": gettext_noop("ONNX Runtime cannot run it: %(reason)s"),
    "answers-odd": gettext_noop("It runs, but its answers have a wrong shape, are no numbers, or change."),
    "not-probabilities": gettext_noop(
        "Its scores are not probabilities: they must be from 0 to 1 and add up to 1. End the model with a softmax."
    ),
    "too-heavy": gettext_noop("It takes too much memory or time to be tried here."),
}


class Unfit(own_files.BadFile):
    """The trial's answer: the file cannot be a version."""

    def __init__(self, code: str, values: dict[str, Any]) -> None:
        super().__init__(REASONS[code], **values)
        self.code = code


class StoppedEarly(Refusal):
    """Stopped before the report."""

    code = "stopped-early"


def run(attempt: Attempt) -> None:
    """Called again after a crash it comes to the same end; a version that ended stays."""
    version = ModelVersion.objects.select_related("model__project").get(pk=attempt.payload["version"])
    if version.ended:
        return
    writer = Writer(attempt, version)
    began = time.monotonic()
    try:
        data = kept(writer)
        judge(writer, data, began)
    except StoppedEarly as early:
        key = version.file_key
        gone = {"file_key": "", "file_sha256": "", "file_bytes": 0}
        writer.end(VersionState.STOPPED, EndedBecause.STOPPED, early.sentence, **gone)
        forget_file(key)


def kept(writer: Writer) -> Manifest:
    """Try the file and keep it, with our words in it, under its hash; the pictures to judge it on."""
    version, given = writer.version, writer.version.file_key
    writer.enter(VersionState.PREPARING, TRYING, started_at=version.started_at or timezone.now())
    if version.manifest_key:  # an earlier attempt came that far
        return manifest.load(version.manifest_key)
    with tempfile.TemporaryDirectory(dir=work_folder(), prefix="own-") as name:
        folder = Path(name)
        with storage.local_copy(given) as path:
            (folder / "given.onnx").write_bytes(path.read_bytes())
        found = tried(folder, version.labels or None, writer)
        data = pictures(version, found["labels"])
        key = storage.put_file(own_files.FOLDER, folder / "model.onnx", ".onnx")
        size = (folder / "model.onnx").stat().st_size
    made_with = found["libraries"] | {"opset": str(found["opset"]), "own_sha256": version.file_sha256}
    writer.write(
        file_key=key, file_sha256=found["sha256"], file_bytes=size, made_with=made_with, labels=found["labels"],
        manifest_key=manifest.save(data), snapshot_hash=data.content_hash, split_counts=data.counts(),
        split_facts=facts_of(version, data),
    )  # fmt: skip
    if key != given:
        forget_file(given)
    return data


def tried(folder: Path, labels: list[str] | None, writer: Writer) -> dict[str, Any]:
    """Run the trial in a process without secrets; raises Unfit."""
    (folder / "trial.json").write_text(json.dumps({"labels": labels}, ensure_ascii=False), "utf-8")
    env = {key: text for key, text in os.environ.items() if not any(word in key for word in KEPT_FROM_IT)}
    process = subprocess.Popen(  # noqa: S603  (our own command line)
        [sys.executable, "-m", "training.own_trial", str(folder)],
        cwd=ROOT, env=env | {"OMP_NUM_THREADS": "1"},
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    until = time.monotonic() + SECONDS
    try:
        while process.poll() is None:
            writer.attempt.check()
            if time.monotonic() > until:
                raise Unfit("too-heavy", {})
            with suppress(subprocess.TimeoutExpired):
                process.wait(LOOK_EVERY)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    if process.returncode or not (folder / RESULT).exists():
        raise Unfit("too-heavy", {})
    answer: dict[str, Any] = json.loads((folder / RESULT).read_text("utf-8"))
    if "refused" in answer:
        raise Unfit(answer["refused"], answer["values"])
    return answer


def pictures(version: ModelVersion, labels: list[str]) -> Manifest:
    """All pictures of these labels, or the pinned test set, held back: what the file learned from is not known."""
    snapshots = list(Snapshot.objects.filter(pk__in=version.snapshots))
    rows = manifest.one_each(row for snapshot in snapshots for row in rows_of(snapshot))
    test_set = pinned.of_version(version)
    if test_set:
        rows = test_set.for_own_file(rows, labels)
    entries = tuple(
        Entry(row.image, row.name, row.sha256, row.key, row.label, HELD_BACK, at)
        for at, row in enumerate(rows)
        if row.label in labels
    )
    own_files.must_be_there(labels, sorted({entry.label for entry in entries}))
    about = tuple(
        {"dataset": each.dataset_id, "snapshot": each.pk, "hash": each.content_hash} for each in snapshots
    )
    facts = {"pinned": test_set.facts_beside([], entries)} if test_set else {}
    return Manifest(tuple(labels), entries, about, facts=facts)


def facts_of(version: ModelVersion, data: Manifest) -> dict[str, Any]:
    """The manifest's, and which of the file's labels are for pictures that are none of the others."""
    outside = [name for name in version.split_facts.get("none_of_these", []) if name in data.labels]
    return data.facts | ({"none_of_these": outside} if outside else {})


def judge(writer: Writer, data: Manifest, began: float) -> None:
    """Measure the stored file, write the report, and end well."""
    version = writer.version

    def done(so_far: int, of: int) -> None:
        writer.progress(so_far / of)
        if writer.stop_asked():
            raise StoppedEarly(gettext_noop("Stopped before there was anything to keep."))

    writer.enter(VersionState.EVALUATING, JUDGING)
    measured = evaluation.measure(version.file_key, data, threads=1, done=done)
    seconds = round(time.monotonic() - began, 1)
    about = {
        "method": "own", "own_file": version.own_file, "backbone": "", "weights": "", "pretrained": True,
        "left_out": [], "file_bytes": version.file_bytes, "file_sha256": version.file_sha256, "seconds": seconds,
        **facts_of(version, data),
    }  # fmt: skip
    report = evaluation.report(measured, data, about)
    report["conclusion"] = [
        each.to_json() for each in conclude(report, {})
    ]  # it learned elsewhere: no advice on that
    writer.end(
        VersionState.SUCCEEDED,
        "",
        JUDGED,
        usable=True,
        report=report,
        metrics=report["overall"],
        predictions_key=predictions.save(evaluation.predictions_of(measured, data.labels)),
    )
