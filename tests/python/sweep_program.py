"""`softtricks sweep` as the tests call it: of real experiments, and of one that trains nothing."""

import collections
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from cli_program import PROGRAM, ROOT

PYTHON = os.environ.get("SOFTTRICKS_PYTHON", str(ROOT / ".venv/bin/python"))
STUB = ROOT / "tests/python/stub_experiment.py"


def has_optuna():
    try:
        return subprocess.run([PYTHON, "-c", "import optuna"], capture_output=True).returncode == 0
    except OSError:
        return False


needs_optuna = pytest.mark.skipif(
    not has_optuna(), reason=f"{PYTHON} has no Optuna (scripts/setup.sh installs it)"
)


ENVIRONMENT = {**os.environ, "SOFTTRICKS_PYTHON": PYTHON}


def sweep(*words):
    """The finished process of `softtricks sweep`."""
    command = [PROGRAM, "sweep", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=ENVIRONMENT)


def wait_for_file(folder, pattern):
    for _ in range(1200):
        if any(folder.glob(pattern)):
            return
        time.sleep(0.05)
    raise AssertionError(f"no {pattern} in {folder}")


def processes_with(word):
    """Those whose command line has it."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if str(word).encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            pass  # it has ended
    return found


class Stub:
    """Sweeps of tests/python/stub_experiment.py with one journal."""

    def __init__(self, folder, storage=None, name="sweep"):
        self.folder, self.storage, self.name = folder, storage, name
        self.journal = folder / "journal"
        self.journal.touch()
        self.started = []

    def command(self, name, *words):
        shared = ("--storage", self.storage, "--name", self.name) if self.storage else ()
        own = ("--out", self.folder / name, "--journal", self.journal)
        return [PYTHON, ROOT / "tools/sweep.py", STUB, *map(str, (*own, *shared, *words))]

    def run(self, name, *words):
        return subprocess.run(
            self.command(name, *words), capture_output=True, text=True, timeout=120
        )

    def start(self, name, *words):
        log = self.folder / f"{name}.log"
        with open(log, "w") as file:
            process = subprocess.Popen(self.command(name, *words), stdout=file, stderr=file)
        self.started.append(process)
        process.log = log
        return process

    def end(self):
        for process in self.started:
            process.kill()
            process.wait()

    def events(self):
        """(what, task, process) in order."""
        lines = self.journal.read_text().splitlines()
        return [(what, task, int(pid)) for what, task, pid in map(str.split, lines)]

    def counted(self, what):
        return collections.Counter(task for event, task, _ in self.events() if event == what)

    def wait_for(self, what, count=1):
        """The last of `count` such events."""
        for _ in range(1200):
            found = [event for event in self.events() if event[0] == what]
            if len(found) >= count:
                return found[count - 1]
            time.sleep(0.05)
        raise AssertionError(f"no {count} of '{what}' in {self.events()}")

    def table(self, name):
        return json.loads((self.folder / name / "summary.json").read_text())


def succeeded(process):
    """Waits for a started sweep, which must end well."""
    code = process.wait(120)
    assert code == 0, process.log.read_text()
    return process.log.read_text()


def killed(process):
    """kill -9."""
    process.send_signal(signal.SIGKILL)
    process.wait()


def is_gone(pid):
    """Has a process ended, within a second? A zombie has: nobody may be there to wait for it."""
    for _ in range(20):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.05)
    return False


def once_each(count, rows="a"):
    """What a journal says where every task of `rows` and seeds 1 to `count` ended exactly once."""
    return {f"{row}-seed{seed}": 1 for row in rows for seed in range(1, count + 1)}
