"""The only door to torchvision; imported before torchmetrics or Lightning, which import it themselves.

Beside a CPU-only torch the ordinary torchvision wheel cannot load its C++ operators, and then fails at import
because it registers shapes for operators that do not exist ("operator torchvision::nms does not exist";
pytorch/vision#8985, #9085). Its models and transforms need none of them. On a matching install the first
import succeeds and nothing here is touched.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import torch

__all__ = ["torchvision"]


def _imported() -> ModuleType:
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::" not in str(error) or "does not exist" not in str(error):
            raise
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    return _imported_without_operators()


def _imported_without_operators() -> ModuleType:
    register_fake = torch.library.register_fake

    def passing_over_torchvision(name: Any, *rest: Any, **options: Any) -> Any:
        if isinstance(name, str) and name.startswith("torchvision::"):
            return _unchanged
        return register_fake(name, *rest, **options)

    torch.library.register_fake = passing_over_torchvision
    try:
        return importlib.import_module("torchvision")
    finally:
        torch.library.register_fake = register_fake


def _unchanged(function: Callable[..., Any]) -> Callable[..., Any]:
    return function


torchvision = _imported()
