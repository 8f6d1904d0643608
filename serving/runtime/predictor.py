"""One loaded model: pictures in, scores out."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort

from datasets.pixels import MAX_PIXELS, Source, UnreadableImage, to_pixels
from serving.runtime.signature import EMBEDDING, IMAGES, SCORES, ModelFileError, Signature

ONLY_ERRORS = 3


class Predictor:
    """A model file in memory; may be asked by several threads at once.

    Pictures go through one at a time, always in the same shape: memory stays flat (varying shapes make
    ONNX Runtime's arena grow), and a picture's scores never depend on what it was sent with.
    """

    def __init__(self, session: ort.InferenceSession, signature: Signature) -> None:
        self._session, self.signature = session, signature

    @classmethod
    def load(cls, path: Path, threads: int = 1) -> "Predictor":
        """Open a model file; raises ModelFileError where it is not one of ours or is damaged."""
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = ONLY_ERRORS
        try:
            session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise ModelFileError(f"ONNX Runtime cannot open the model file: {error}") from error
        metadata = session.get_modelmeta().custom_metadata_map
        return cls(session, Signature.read(metadata, session.get_inputs(), session.get_outputs()))

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, in the order of the scores."""
        return self.signature.labels

    def pixels_of(
        self, picture: Source, *, max_pixels: int = MAX_PIXELS, max_bytes: int | None = None
    ) -> np.ndarray:
        """An encoded picture as the model's input, uint8 [h, w, 3]; raises UnreadableImage."""
        return to_pixels(picture, self.signature.spec, max_pixels=max_pixels, max_bytes=max_bytes)

    def scores_of(self, pixels: Iterable[np.ndarray]) -> np.ndarray:
        """Inputs, each uint8 [h, w, 3], to probabilities, float32 [n, k]."""
        rows = [self._run(SCORES, each) for each in pixels]
        return np.stack(rows) if rows else np.empty((0, len(self.labels)), np.float32)

    def embeddings_of(self, pixels: Iterable[np.ndarray]) -> np.ndarray:
        """Inputs, each uint8 [h, w, 3], to feature vectors, float32 [n, d]."""
        return np.stack([self._run(EMBEDDING, each) for each in pixels])

    def predict(self, pictures: Sequence[Source], *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
        """Encoded pictures to probabilities, float32 [n, k]; raises UnreadableImage at the first bad one."""
        return self.scores_of(self.pixels_of(picture, max_pixels=max_pixels) for picture in pictures)

    def predict_each(
        self, pictures: Iterable[Source], *, max_pixels: int = MAX_PIXELS, max_bytes: int | None = None
    ) -> list[np.ndarray | UnreadableImage]:
        """For each picture its probabilities, float32 [k], or why it could not be read."""
        answers: list[np.ndarray | UnreadableImage] = []
        for picture in pictures:
            try:
                answers.append(
                    self._run(SCORES, self.pixels_of(picture, max_pixels=max_pixels, max_bytes=max_bytes))
                )
            except UnreadableImage as error:
                answers.append(error)
        return answers

    def warm(self) -> None:
        """Predict a generated picture; raises ModelFileError where what comes out are no probabilities."""
        side = self.signature.spec.size
        ramp = np.linspace(0, 255, side, dtype=np.uint8)
        picture = np.broadcast_to(ramp[None, :, None], (side, side, 3))
        try:
            scores = self._run(SCORES, picture)
        except Exception as error:
            raise ModelFileError(f"The model file fails on a picture: {error}") from error
        if (
            scores.shape != (len(self.labels),)
            or not np.isfinite(scores).all()
            or abs(float(scores.sum()) - 1) > 1e-3
        ):
            raise ModelFileError("The model file's scores are not probabilities over its labels.")

    def _run(self, output: str, pixels: np.ndarray) -> np.ndarray:
        (rows,) = self._session.run([output], {IMAGES: np.ascontiguousarray(pixels[None])})
        return np.asarray(rows[0], dtype=np.float32)
