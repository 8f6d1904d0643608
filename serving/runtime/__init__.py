"""Predicting with a model file: ONNX Runtime and numpy alone, no Django inside."""

from serving.runtime.predictor import Predictor
from serving.runtime.signature import ModelFileError, Signature

__all__ = ["ModelFileError", "Predictor", "Signature"]
