"""What a figure depends on besides the code: processor, system, versions."""

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

PACKAGES = ("torch", "jax", "jaxlib", "jaxopt", "entmax", "igraph", "numpy", "scipy", "networkx")
OPTIONAL = ("ufal.chu_liu_edmonds", "torch-struct", "lapx", "POT")


def description(instruction_set):
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "system": f"{platform.system()} {platform.release()}",
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "versions": dict(_versions()),
        "softtricks": {"commit": _commit(), "instruction_set": instruction_set},
    }


def _versions():
    for name in (*PACKAGES, *OPTIONAL):
        try:
            yield name, metadata.version(name)
        except metadata.PackageNotFoundError:
            if name in PACKAGES:
                raise


def _processor():
    facts = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        facts.setdefault(key.strip(), value.strip())
    name = facts.get("model name", platform.machine())
    return f"{name} (family {facts.get('cpu family', '?')}, model {facts.get('model', '?')})"


def _commit():
    root = Path(__file__).resolve().parents[2]

    def git(*arguments):
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()

    changed = git("status", "--porcelain", "--", "include", "src", "bindings")
    return git("rev-parse", "--short", "HEAD") + (" with changes" if changed else "")
