"""The part of a sweep that this machine does: trainings side by side, each a process of its own."""

import contextlib
import signal
import subprocess
import time
from dataclasses import dataclass

from . import folder as files_of
from .error import StorageError, SweepError

TICK = 0.1  # seconds between looks at the processes
PATIENCE = 600  # seconds for which the storage may be away
BAD_START = 3  # trainings that fail before one ended well: then it is the machine
LAST_CHANCE = 10  # seconds that a training has for ending when it is told to


@dataclass
class Training:
    trial: object
    process: subprocess.Popen

    @property
    def name(self):
        return self.trial.user_attrs["task"]


class Worker:
    """Takes trials off the board, up to `size` at a time, until all of the sweep are over."""

    def __init__(self, board, program, folder, progress, size):
        self.board, self.program, self.folder, self.progress = board, program, folder, progress
        self.size = size
        self.trainings = []
        self.works = any(folder.outcome(name, training=False) for name in board.tasks)
        self.failed = 0
        self.stopped = False
        self.next_look = 0.0
        self.away_since = None

    def run(self):
        """The last view of the board; None where a signal stopped it."""
        with self.signals_noted():
            try:
                while not self.stopped:
                    view = self.step()
                    if view is not None and view.over:
                        self.progress.show(view, 0, last=True)
                        return view
                    time.sleep(TICK)
            finally:
                self.give_back()
        return None

    @contextlib.contextmanager
    def signals_noted(self):
        """The first signal stops the sweep in good order, a second one at once."""

        def note(number, frame):
            if self.stopped:
                raise KeyboardInterrupt
            self.stopped = True

        chosen = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, note) for number in chosen}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def step(self):
        if self.away_since is not None and time.monotonic() < self.next_look:
            return None
        try:
            for training in [t for t in self.trainings if t.process.poll() is not None]:
                self.end(training)
                self.trainings.remove(training)
                self.next_look = 0
            if time.monotonic() < self.next_look:
                return None
            view = self.look()
            self.away_since = None
            return view
        except StorageError as error:
            self.wait_for_storage(error)
            return None

    def wait_for_storage(self, error):
        """Trainings go on meanwhile; what has ended is told when the storage is back."""
        now = time.monotonic()
        if self.away_since is None:
            self.away_since = now
            self.progress.note(f"{error}; trying again for {PATIENCE // 60} minutes")
        if now - self.away_since > PATIENCE:
            raise error
        self.next_look = now + self.board.pause

    def look(self):
        view = self.board.look(
            mine=[training.trial.number for training in self.trainings],
            free=self.size - len(self.trainings),
        )
        for training in [t for t in self.trainings if t.trial.number in view.lost]:
            self.progress.note(f"{training.name} was given up as dead, and is another worker's now")
            stop([training.process])
            self.trainings.remove(training)
        for trial in view.taken:
            self.start(trial)
        self.next_look = time.monotonic() + self.board.pause
        self.progress.show(view, len(self.trainings))
        return view

    def start(self, trial):
        name = trial.user_attrs["task"]
        work = self.folder.work(name)
        work.mkdir(parents=True, exist_ok=True)
        with open(work / "log.txt", "wb") as log:
            process = self.program.start(self.board.tasks[name], work, log)
        self.trainings.append(Training(trial, process))

    def end(self, training):
        name = training.name
        code = training.process.returncode
        files = self.folder.outcome(name) if code == 0 else None
        score = files_of.score(files, self.board.program["score"]["name"]) if files else None
        if score is not None:
            self.board.complete(training.trial, files, score)
            self.folder.keep(name, files)
            self.works = True
            return
        said = self.folder.last_words(name)
        reason = f"{said[-1].removeprefix('error: ')} ({ending(code)})" if said else ending(code)
        again = self.board.fail(training.trial, "\n".join([reason, *said]))
        self.progress.note(f"{name} failed{', and is tried once more' if again else ''}: {reason}")
        self.failed += 1
        if not self.works and self.failed == BAD_START:
            raise SweepError(
                f"the first {BAD_START} trainings on this machine failed, so it takes no more; "
                "mend what they say above and give the same command again"
            )

    def give_back(self):
        stop([training.process for training in self.trainings])
        # Where the storage is away, the next start in this folder or another worker sees to it.
        with contextlib.suppress(StorageError):
            self.board.give_back()


def ending(code):
    if code == 0:
        return "the program left no validation score"
    if code < 0:
        killed = " (out of memory?)" if code == -signal.SIGKILL else ""
        return f"ended by the signal {signal.Signals(-code).name}{killed}"
    return f"exit status {code}"


def stop(processes):
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + LAST_CHANCE
    for process in processes:
        try:
            process.wait(max(0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
