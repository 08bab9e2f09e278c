"""Finds and loads libsofttricks_torch.so, which registers the operators ``softtricks::*``."""

import json
import os
from pathlib import Path

import torch

from .. import _native

_NAME = "libsofttricks_torch.so"
_VARIABLE = "SOFTTRICKS_TORCH_LIBRARY"


def find() -> Path:
    """The library's path: the environment's, or where the native parts lie."""
    named = os.environ.get(_VARIABLE)
    if named:
        if not Path(named).is_file():
            raise ImportError(f"{_VARIABLE}={named}: no such file")
        return Path(named)
    return _native.find(_NAME)


torch.ops.load_library(str(find()))
ops = torch.ops.softtricks
registry = json.loads(ops.describe())
