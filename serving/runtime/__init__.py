"""Predicting with a model file: ONNX Runtime and numpy alone, no Django inside."""

from serving.runtime.predictor import Predictor
from serving.runtime.signature import BadModelFile, Signature

__all__ = ["BadModelFile", "Predictor", "Signature"]
