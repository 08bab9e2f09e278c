"""The trials of a sweep in its storage: one for each task, which waits, runs, is done or failed.

Every method is one step under the storage's lock, so no trial is taken, given up or finished by two
at once, whatever the database does about concurrent transactions by itself. A trial that goes back
to waiting stays the same trial.
"""

import socket
import time
from dataclasses import dataclass, field

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import DuplicatedStudyError
from optuna.study import StudyDirection
from optuna.trial import TrialState, create_trial

from .error import SweepError

ATTEMPTS = 2  # of a training whose program fails
LONGEST_PAUSE = 5  # seconds between two looks
TOGETHER = 50  # trials that are added in one step
LOOKS = 12  # at least, between which a worker gave no sign of life before it is given up


@dataclass
class Seen:
    """The last sign of life of a worker of one trial."""

    beat: dict
    at: float  # when it was looked for last
    looks: int = 0  # in which it was still the same


@dataclass
class View:
    """What a look at the board found."""

    done: int = 0
    waiting: int = 0
    failed: list = field(default_factory=list)  # trials
    running: list = field(default_factory=list)  # trials, those taken by this look included
    taken: list = field(default_factory=list)  # trials for this worker to start
    lost: list = field(default_factory=list)  # numbers of trials that this worker has no more

    @property
    def over(self):
        return not (self.waiting or self.running)


class Board:
    """The board called `name`, which open() finds or makes.

    program   what `PROGRAM tasks` printed
    folder    that of the run, whose sweep may take trials; None: it only looks
    grace     seconds after which a worker without a sign of life is given up
    """

    def __init__(self, storage, name, program, folder=None, grace=60):
        self.storage, self.name, self.program = storage, name, program
        self.tasks = {task["name"]: task for task in program["tasks"]}
        self.me = folder and {
            "host": socket.gethostname(),
            "folder": str(folder.path),
            "key": folder.key(),
        }
        self.grace, self.pause = grace, min(LONGEST_PAUSE, grace / LOOKS)
        self.seen = {}  # by the number of the trial
        self.study = None

    # Beginning

    def open(self, create=True, retry_failed=False):
        """Finds the board or makes it, with a trial for every task that has none."""
        with self.storage.exclusive():
            self.study = self.make() if create else self.find()
            self.compare()
            before = self.newest()
        if not create:
            return
        missing = [
            name
            for name in self.tasks
            if name not in before or (retry_failed and is_failed(before[name]))
        ]
        # A few at a time, so that the lock is never held for long.
        for first in range(0, len(missing), TOGETHER):
            with self.storage.exclusive():
                self.add(missing[first : first + TOGETHER], before)

    def find(self):
        try:
            return self.storage.trials.get_study_id_from_name(self.name)
        except KeyError:
            raise SweepError(f"--name: {self.storage.place} holds no sweep '{self.name}'") from None

    def make(self):
        trials = self.storage.trials
        goal = StudyDirection[self.program["score"]["goal"].upper()]
        try:
            study = trials.create_new_study([goal], self.name)
        except DuplicatedStudyError:
            study = self.find()
        if not trials.get_study_user_attrs(study) and not trials.get_all_trials(study):
            trials.set_study_user_attr(study, "sweep", self.kind())
        return study

    def kind(self):
        return {key: self.program[key] for key in ("experiment", "settings")}

    def compare(self):
        """Refuses a board that was made for something else."""
        attributes = self.storage.trials.get_study_user_attrs(self.study)
        found, wanted = attributes.get("sweep"), self.kind()
        if found == wanted:
            return
        there = f"--name: {self.storage.place} holds another sweep '{self.name}'"
        if found is None or found["experiment"] != wanted["experiment"]:
            what = found["experiment"] if found else "something else"
            raise SweepError(f"{there}, of {what}; give another --name")
        differing = [
            f"--{key} {found['settings'].get(key)} (now {value})"
            for key, value in wanted["settings"].items()
            if found["settings"].get(key) != value
        ]
        raise SweepError(
            f"{there}, with {', '.join(differing) or 'other options'}; give another --name"
        )

    def add(self, names, before):
        """New trials of these tasks, where no other sweep has added one since `before`."""
        found = self.newest()
        known = next(iter(found.values())).distributions if found else {}
        for task in (self.tasks[name] for name in names):
            name = task["name"]
            if name in found and (name not in before or found[name].number != before[name].number):
                continue
            waiting = create_trial(
                state=TrialState.WAITING,
                params=task["parameters"],
                distributions=self.distributions(task, known),
                user_attrs={"task": name, "group": task["group"], **task["arguments"]},
            )
            self.storage.trials.create_new_trial(self.study, waiting)

    def distributions(self, task, known):
        return {
            name: distribution(self.program["parameters"][name], value, known.get(name))
            for name, value in task["parameters"].items()
        }

    # Looking, taking and giving back

    def newest(self):
        """The last trial of every task of this command, by the task's name."""
        trials = self.storage.trials.get_all_trials(self.study, deepcopy=False)
        found = {trial.user_attrs.get("task"): trial for trial in trials}  # by their numbers
        return {name: found[name] for name in self.tasks if name in found}

    def look(self, mine=(), free=0):
        """Gives a sign of life for the trials `mine` (numbers), sends back those of dead workers,
        and takes up to `free` waiting ones."""
        with self.storage.exclusive():
            view = View(lost=list(mine))
            for trial in self.newest().values():
                if trial.state == TrialState.COMPLETE:
                    view.done += 1
                elif is_failed(trial):
                    view.failed.append(trial)
                elif trial.state == TrialState.RUNNING and not self.is_dead(trial, mine):
                    if trial.number in mine and self.is_mine(trial):
                        self.sign(trial, trial.user_attrs["worker"]["beat"] + 1)
                        view.lost.remove(trial.number)
                    view.running.append(trial)
                elif len(view.taken) < free:
                    self.take(trial)
                    view.taken.append(trial)
                    view.running.append(trial)
                else:
                    if trial.state == TrialState.RUNNING:
                        self.set_state(trial, TrialState.WAITING)
                    view.waiting += 1
            return view

    def is_dead(self, trial, mine):
        """Counted in looks, not by a clock: machines' clocks differ, and a database that was away
        for a while is nobody's death."""
        if self.me is None:
            return False
        if self.is_mine(trial):
            # Else one of a sweep that was killed here, whose checkpoints are on this disk, or taken
            # when the database went away and never started.
            return trial.number not in mine
        beat, now = trial.user_attrs["worker"], time.monotonic()
        seen = self.seen.get(trial.number)
        if seen is None or seen.beat != beat:
            self.seen[trial.number] = Seen(beat, now)
            return False
        if now - seen.at >= self.pause:
            seen.at, seen.looks = now, seen.looks + 1
        return seen.looks * self.pause >= self.grace

    def is_mine(self, trial):
        worker = trial.user_attrs["worker"]
        return all(worker[key] == self.me[key] for key in self.me)

    def sign(self, trial, beat):
        self.set(trial, "worker", {**self.me, "beat": beat})

    def take(self, trial):
        self.sign(trial, 0)  # first: a trial that runs always says where
        if trial.state == TrialState.WAITING:
            self.set_state(trial, TrialState.RUNNING)

    def give_back(self):
        """What this worker has waits for others."""
        with self.storage.exclusive():
            for trial in self.newest().values():
                if trial.state == TrialState.RUNNING and self.is_mine(trial):
                    self.set_state(trial, TrialState.WAITING)

    # Ending

    def complete(self, trial, files, score):
        """Stores the outcome, unless the trial is another worker's by now."""
        with self.storage.exclusive():
            mine = self.still_mine(trial)
            if mine is not None:
                self.finish(mine, files, score)

    def adopt(self, name, files, score):
        """Stores the outcome of a task that was trained before there was a sweep."""
        with self.storage.exclusive():
            trial = self.newest()[name]
            if trial.state == TrialState.WAITING:
                self.take(trial)
                self.finish(trial, files, score)

    def finish(self, trial, files, score):
        for name, text in files.items():
            self.set(trial, name, text)
        self.set_state(trial, TrialState.COMPLETE, [score])

    def fail(self, trial, words):
        """Notes why the program failed; True where the trial waits for another attempt, here or
        elsewhere."""
        with self.storage.exclusive():
            mine = self.still_mine(trial)
            if mine is None:
                return True
            failures = [*mine.user_attrs.get("failures", []), words]
            self.set(mine, "failures", failures)
            again = len(failures) < ATTEMPTS
            self.set_state(mine, TrialState.WAITING if again else TrialState.FAIL)
            return again

    def results(self):
        """The trials that are done, by task."""
        with self.storage.exclusive():
            trials = self.newest()
        return {n: trial for n, trial in trials.items() if trial.state == TrialState.COMPLETE}

    def still_mine(self, trial):
        """The trial as it is now; None where this worker has it no more."""
        now = self.storage.trials.get_trial(trial._trial_id)
        return now if now.state == TrialState.RUNNING and self.is_mine(now) else None

    def set(self, trial, name, value):
        self.storage.trials.set_trial_user_attr(trial._trial_id, name, value)

    def set_state(self, trial, state, values=None):
        self.storage.trials.set_trial_state_values(trial._trial_id, state, values)


def is_failed(trial):
    return trial.state.is_finished() and trial.state != TrialState.COMPLETE


def why_failed(trial):
    """In one line; the lines below it in the attribute are those of the training's log."""
    words = trial.user_attrs.get("failures", ["it was ended from outside"])[-1]
    return words.splitlines()[0]


def distribution(bounds, value, known):
    """Optuna compares trials only where parameters have one distribution: that of the first trials,
    `known`, unless this value lies outside."""
    if isinstance(value, str):
        law = CategoricalDistribution(bounds)
        return known if known and value in known.choices else law
    if known and known.low <= value <= known.high:
        return known
    low, high = bounds
    if isinstance(value, int):
        return IntDistribution(low, high)
    return FloatDistribution(low, high, log=known.log if known else low > 0)
