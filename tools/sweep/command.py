"""What `softtricks sweep` does once it knows its tasks."""

import sys
import warnings

import optuna

from . import folder as files_of
from .board import Board, why_failed
from .folder import FILES, Folder
from .progress import Progress
from .storage import open_storage
from .worker import Worker

STOPPED = 130  # the exit status after a signal, as that of a training


def run(options, program, tasks):
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    folder = Folder(options.out)
    if options.status:
        return status(options, tasks)
    with folder.kept():
        storage = open_storage(options.storage, options.out / "sweep.db", create=True)
        board = Board(storage, options.name, tasks, folder, options.grace)
        board.open(retry_failed=options.retry_failed)
        adopt(board, folder)
        worker = Worker(board, program, folder, Progress(), options.workers)
        view = worker.run()
        if view is None:
            print("Stopped. The same command goes on.", file=sys.stderr)
            return STOPPED
        return conclude(board, folder, program, view)


def adopt(board, folder):
    """Tasks that `softtricks train` finished in this folder need not be trained again."""
    known = board.results()
    for name, task in board.tasks.items():
        if name in known:
            continue
        files = folder.outcome(name, training=False) if task["done"] else None
        score = files_of.score(files, board.program["score"]["name"]) if files else None
        if score is not None:
            board.adopt(name, files, score)


def conclude(board, folder, program, view):
    """The folder as a training of all tasks would have left it, and what failed."""
    results = board.results()
    for name, trial in results.items():
        found = trial.user_attrs
        folder.keep(name, {file: found[file] for file in FILES if file in found})
    code = program.summary() if results else 0
    for trial in view.failed:
        print(f"error: {trial.user_attrs['task']}: {why_failed(trial)}", file=sys.stderr)
    if view.failed:
        print("The same command with --retry-failed gives them another chance.", file=sys.stderr)
    return 2 if view.failed else code


def status(options, tasks):
    storage = open_storage(options.storage, options.out / "sweep.db", create=False)
    board = Board(storage, options.name, tasks)
    board.open(create=False)
    view = board.look()
    print(Progress().counts(view, len(view.running)))
    for trial in view.running:
        task, worker = trial.user_attrs["task"], trial.user_attrs["worker"]
        since = trial.datetime_start.strftime("%Y-%m-%d %H:%M:%S")
        print(f"running  {task}  on {worker['host']} in {worker['folder']} since {since}")
    for trial in view.failed:
        print(f"failed   {trial.user_attrs['task']}: {why_failed(trial)}")
    return 0
