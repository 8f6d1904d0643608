"""The only door to Lightning, which imports torchvision: our way of importing that must come first."""

# isort: skip_file
from training.engine.torchvision_import import torchvision

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback, EarlyStopping, ModelCheckpoint
from pytorch_lightning.plugins.io import CheckpointIO
from pytorch_lightning.utilities.exceptions import SIGTERMException

__all__ = [
    "Callback",
    "CheckpointIO",
    "EarlyStopping",
    "ModelCheckpoint",
    "SIGTERMException",
    "pl",
    "torchvision",
]
