"""Finds and loads libsofttricks_torch.so, which registers the operators ``softtricks::*``."""

import json
import os
from pathlib import Path

import torch

_NAME = "libsofttricks_torch.so"
_VARIABLE = "SOFTTRICKS_TORCH_LIBRARY"


def find() -> Path:
    """The library's path: the environment's, the installed package's, or the source tree's build."""
    named = os.environ.get(_VARIABLE)
    if named:
        if not Path(named).is_file():
            raise ImportError(f"{_VARIABLE}={named}: no such file")
        return Path(named)
    package = Path(__file__).resolve().parents[1]
    places = [package / _NAME]
    if len(package.parents) > 2:
        places.append(package.parents[2] / "build" / "release" / _NAME)
    for place in places:
        if place.is_file():
            return place
    raise ImportError(
        f"{_NAME} was not found; looked at {', '.join(map(str, places))}. Build it with "
        f"`cmake --preset release && cmake --build --preset release --target softtricks_torch`, or "
        f"set {_VARIABLE} to its path."
    )


torch.ops.load_library(str(find()))
ops = torch.ops.softtricks
registry = json.loads(ops.describe())
