"""The offline bundle: a zip with the model and everything that is needed to run it anywhere."""

import io
import json
import tempfile
import zipfile
from importlib.metadata import version as version_of
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image

from datasets import pixels
from training.evaluation import ModelFile
from training.models import ModelVersion
from web import storage

FILES = Path(__file__).resolve().parent / "bundle_files"
AS_THEY_ARE = ("serve.py", "self_test.py", "start.sh", "start.bat", "Dockerfile")
NEEDS = ("onnxruntime", "pillow", "numpy")
IN_MEMORY = 32 * 1024**2
WHEN = (2020, 1, 1, 0, 0, 0)  # the same version gives the same zip
DIGITS = 6


def build(version: ModelVersion) -> IO[bytes]:
    """The zip, open at its beginning."""
    out = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  (whoever sends it closes it)
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
        storage.local_copy(version.file_key) as path,
    ):
        add(target, "model.onnx", path.read_bytes())
        model = ModelFile(path, 1)
        for name, content in texts(version, model).items():
            add(target, name, content.encode())
        add(target, "pixels.py", Path(pixels.__file__).read_bytes())
        golden = golden_pictures()
        for name, picture in golden.items():
            add(target, f"golden/{name}", picture)
        scores = {name: scores_of(model, picture) for name, picture in golden.items()}
        add(target, "golden/scores.json", json.dumps(scores).encode())
    out.seek(0)
    return out


def add(target: zipfile.ZipFile, name: str, content: bytes) -> None:
    """One file; scripts may be run."""
    entry = zipfile.ZipInfo(name, WHEN)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = (0o755 if name.endswith(".sh") else 0o644) << 16
    target.writestr(entry, content)


def texts(version: ModelVersion, model: ModelFile) -> dict[str, str]:
    """The files that are text, by name."""
    places = {
        "model": version.model.name,
        "number": version.number,
        "count": len(model.labels),
        "example": model.labels[0],
        "size": model.spec.size,
    }
    found = {name: (FILES / name).read_text("utf-8") for name in AS_THEY_ARE}
    found["start.bat"] = found["start.bat"].replace("\n", "\r\n")
    return found | {
        "labels.json": json.dumps(model.labels, ensure_ascii=False, indent=1),
        "requirements.txt": "".join(f"{name}=={version_of(name)}\n" for name in NEEDS),
        "README.md": (FILES / "README.md").read_text("utf-8").format(**places),
        "MODEL_CARD.md": card(version),
    }


def card(version: ModelVersion) -> str:
    """What it was made from and how good it is, with the numbers of the report."""
    overall, about = version.report["overall"], version.report["about"]
    accuracy = overall["accuracy"]
    lines = [
        f"# Model card: {version.model.name}, version {version.number}",
        "",
        f"- Made for: {version.application}; chosen by {version.optimise_for}",
        f"- Network: {about['backbone']}; pretrained weights: {about['weights'] or 'none (from scratch)'}",
        f"- Data: {version.snapshot_hash}",
        f"- File: sha256 {version.file_sha256}",
        f"- On {overall['n']} held-back pictures: {100 * accuracy['value']:.1f} % right"
        f" (95 % interval {100 * accuracy['low']:.1f} to {100 * accuracy['high']:.1f} %)",
        f"- Macro precision {overall['precision']:.3f}, recall {overall['recall']:.3f}",
        "- It always names one of its labels, also for pictures that show none of them.",
        "",
        "| label | recall | precision | measured on | learned from |",
        "|---|---|---|---|---|",
    ]
    for row in version.report["labels"]:
        name = row["name"].replace("|", "\\|")
        numbers = f"{row['recall']:.3f} | {row['precision']:.3f} | {row['support']} | {row['learned_from']}"
        lines.append(f"| {name} | {numbers} |")
    return "\n".join(lines) + "\n"


def golden_pictures() -> dict[str, bytes]:
    """Drawn, so that none of the project's own leaves with the bundle: JPEG, PNG, large, turned by EXIF."""
    sizes = {"wide.jpg": (640, 400), "small.png": (90, 120), "large.jpg": (1800, 1400)}
    found = {name: encoded(drawing(*size), name) for name, size in sizes.items()}
    turned = Image.Exif()
    turned[0x0112] = 6
    found["turned.jpg"] = encoded(drawing(300, 200), "turned.jpg", exif=turned.tobytes())
    return found


def drawing(width: int, height: int) -> Image.Image:
    """Smooth waves of colour: detail everywhere, and the same on every machine."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    waves = [np.sin(x / 23 + b) + np.cos(y / 31 - b) + np.sin((x + y) / (17 + 9 * b)) for b in range(3)]
    values = (np.stack(waves, axis=-1) + 3) / 6 * 255
    return Image.fromarray(values.astype(np.uint8))


def encoded(image: Image.Image, name: str, **more: bytes) -> bytes:
    """The picture's bytes, in the format that its name says."""
    out = io.BytesIO()
    image.save(out, "JPEG" if name.endswith(".jpg") else "PNG", **more)
    return out.getvalue()


def scores_of(model: ModelFile, picture: bytes) -> list[float]:
    """What the model says about it."""
    scores = model.scores_of(pixels.to_pixels(picture, model.spec))
    return [round(float(score), DIGITS) for score in scores]
