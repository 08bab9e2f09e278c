"""Finds and loads libsofttricks_torch.so, which registers the operators ``softtricks::*``."""

import json

import torch

from .._native import find_library

torch.ops.load_library(str(find_library("libsofttricks_torch.so", "SOFTTRICKS_TORCH_LIBRARY")))
ops = torch.ops.softtricks
registry = json.loads(ops.describe())
