"""The tests use the package of the source tree, or with SOFTTRICKS_TEST_INSTALLED=1 the installed one."""

import os
import sys
from pathlib import Path

if not os.environ.get("SOFTTRICKS_TEST_INSTALLED"):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bindings" / "python"))
