"""What a training leaves behind: on the disk as `softtricks train` does, in the database as text.

DIR/NAME/         result.json, picture.json, metrics.jsonl and, where it was trained, checkpoints
DIR/work/NAME/    a training that goes on: a run folder of its own, and log.txt
"""

import contextlib
import fcntl
import json
import math
import os
import shutil
import uuid

from .error import SweepError

FILES = ("metrics.jsonl", "picture.json", "result.json")  # the last one says that all are there
LOG_LINES, LOG_LETTERS = 8, 2000


class Folder:
    def __init__(self, path):
        self.path = path

    def work(self, name):
        return self.path / "work" / name

    @contextlib.contextmanager
    def kept(self):
        """Keeps it for this process, from trainings (experiments/common/files.cpp) and sweeps."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = open(self.path / ".lock", "a")
        except OSError as error:
            raise SweepError(f"--out: cannot write into '{self.path}': {error.strerror}") from None
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise SweepError(
                    f"--out: another sweep or training is writing into '{self.path}'; wait for it, "
                    "or give another folder"
                ) from None
            except OSError:
                pass  # a file system without locks
            yield

    def key(self):
        """A word that tells this folder from those of the same path on other disks."""
        file = self.path / "work" / ".key"
        if not file.exists():
            file.parent.mkdir(exist_ok=True)
            write(file, uuid.uuid4().hex)
        return file.read_text()

    def outcome(self, name, training=True):
        """The files of a finished task, name -> text, or None."""
        place = (self.work(name) if training else self.path) / name
        if not (place / FILES[-1]).exists():
            return None
        return {file: (place / file).read_text() for file in FILES if (place / file).exists()}

    def last_words(self, name):
        """The lines with which the log of a training ends."""
        text = (self.work(name) / "log.txt").read_text(errors="replace")
        return text[-LOG_LETTERS:].strip().splitlines()[-LOG_LINES:]

    def keep(self, name, files):
        """Puts a finished task where `softtricks train` would, and ends its work."""
        place = self.path / name
        place.mkdir(exist_ok=True)
        if self.outcome(name) == files:  # trained here: the checkpoints, too
            for file in (self.work(name) / name).iterdir():
                os.replace(file, place / file.name)
        elif self.outcome(name, training=False) != files:
            for file in sorted(files, key=FILES.index):
                write(place / file, files[file])
        shutil.rmtree(self.work(name), ignore_errors=True)


def write(path, text):
    """The old file or the new one, never something in between."""
    temporary = path.with_name(path.name + ".writing")
    temporary.write_text(text)
    os.replace(temporary, path)


def score(files, name):
    """The number that decides between trials; None where the training has none."""
    value = json.loads(files["result.json"]).get(name)
    return value if isinstance(value, (int, float)) and math.isfinite(value) else None
