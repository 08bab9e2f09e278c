"""`softtricks sweep`: the table of a training; nothing is lost or done twice, come what may."""

import json
import os
import signal
import subprocess

import pytest
from aspect_ratings_program import train as train_aspects
from cli_program import PROGRAM, ROOT
from experiment_program import Experiment
from graph_layout_program import train as train_layouts
from sweep_program import (
    ENVIRONMENT,
    PYTHON,
    Stub,
    is_gone,
    killed,
    needs_optuna,
    once_each,
    processes_with,
    succeeded,
    sweep,
    wait_for_file,
)

pytestmark = needs_optuna
needs_aspects = Experiment("softtricks-aspect-ratings").needed
needs_layouts = Experiment("softtricks-graph-layout").needed


@pytest.fixture
def stub(tmp_path):
    stub = Stub(tmp_path)
    yield stub
    stub.end()


@pytest.fixture
def shared(tmp_path):
    """Sweeps with one storage and a folder each."""
    stub = Stub(tmp_path, f"sqlite:///{tmp_path}/trials.db")
    yield stub
    stub.end()


# The experiments


def without_clock(folder):
    """summary.json and every result of a run, without what a second run has otherwise."""
    summary = json.loads((folder / "summary.json").read_text())
    results = {
        file.parent.name: json.loads(file.read_text()) for file in folder.glob("*/result.json")
    }
    for entry in (*summary["rows"], *results.values()):
        for key in ("seconds", "seconds_std", "command"):
            entry.pop(key, None)
    return summary["rows"], results, json.loads((folder / "picture.json").read_text())


@needs_aspects
def test_a_sweep_ends_with_the_table_of_a_training(tmp_path):
    """Also where it was killed in the middle of its trainings."""
    chosen = "--preset", "test", "--rows", "gibbs,l2x", "--k", "2,3", "--seeds", "1..2"
    train_aspects(tmp_path / "train", *chosen)
    command = [PROGRAM, "sweep", "aspect-ratings", *chosen, "--out", tmp_path / "sweep"]
    process = subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.DEVNULL)
    wait_for_file(tmp_path / "sweep/work", "*/*/last.safetensors")
    killed(process)
    assert all(is_gone(pid) for pid in processes_with(tmp_path / "sweep"))
    done = sweep("aspect-ratings", *chosen, "--out", tmp_path / "sweep")
    assert done.returncode == 0, done.stderr
    assert "8 of 8 done" in done.stderr and "gibbs" in done.stdout
    assert without_clock(tmp_path / "sweep") == without_clock(tmp_path / "train")
    assert (tmp_path / "sweep" / "report.html").exists()
    # The folder is that of a training, checkpoints included.
    assert (tmp_path / "sweep/gibbs-k2-seed1/best.safetensors").exists()
    assert "done already" in train_aspects(tmp_path / "sweep", *chosen).stderr


@needs_layouts
def test_graph_layout_by_the_same_command(tmp_path):
    """A row with a range is searched; of the other one, the table holds mean and deviation."""
    chosen = (
        "--preset", "test", "--rows", "spanning_tree,top_edges", "--seeds", "1..2",
        "--lr", "0.002,spanning_tree=0.001..0.01", "--data", tmp_path / "data", "--no-report",
    )  # fmt: skip
    done = sweep("graph-layout", *chosen, "--out", tmp_path / "sweep")
    assert done.returncode == 0, done.stderr
    train_layouts(tmp_path / "train", *chosen)
    assert without_clock(tmp_path / "sweep") == without_clock(tmp_path / "train")
    (searched, repeated), results, _ = without_clock(tmp_path / "sweep")
    trials = [results[f"spanning_tree-seed{seed}"] for seed in (1, 2)]
    best = max(trials, key=lambda trial: trial["validation_elbo"])
    assert searched["trials"] == 2 and searched["elbo"] == best["elbo"] and searched["elbo_std"] > 0
    rates = [trial["identity"]["lr"] for trial in trials]
    assert rates[0] != rates[1] and all(0.001 <= rate <= 0.01 for rate in rates)
    means = [results[f"top_edges-seed{seed}"]["elbo"] for seed in (1, 2)]
    assert repeated["seeds"] == [1, 2] and repeated["elbo"] == pytest.approx(sum(means) / 2)


# Death


def test_the_trial_of_a_dead_worker_is_taken_up_again(shared):
    first = shared.start("first", "--workers", 1, "--seconds", 2)
    _, task, training = shared.wait_for("begin")
    killed(first)
    assert is_gone(training)  # a training ends with its worker
    second = shared.start("second", "--workers", 2, "--seconds", 2, "--grace", 3)
    succeeded(second)
    assert shared.counted("end") == once_each(3)
    assert shared.counted("begin")[task] == 2
    # Back again, the dead one has nothing left to do but to write its table.
    succeeded(shared.start("first", "--workers", 1, "--seconds", 2))
    assert shared.counted("end") == once_each(3)
    assert shared.table("first") == shared.table("second")


def test_a_killed_sweep_goes_on_at_once(stub):
    process = stub.start("run", "--workers", 2, "--seconds", 1, "--seeds", 4)
    stub.wait_for("begin", 3)
    killed(process)
    succeeded(stub.start("run", "--workers", 2, "--seconds", 1, "--seeds", 4))  # no --grace
    assert stub.counted("end") == once_each(4)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_sweep_leaves_its_trials_to_others(shared, number):
    process = shared.start("run", "--workers", 2, "--seconds", 1)
    _, _, training = shared.wait_for("begin", 2)
    process.send_signal(number)
    assert process.wait(10) == 130 and "goes on" in process.log.read_text()
    assert is_gone(training)
    status = shared.run("run", "--seconds", 1, "--status")
    assert status.stdout == "0 of 3 done, 0 running, 3 waiting, 0 failed\n"
    succeeded(shared.start("other", "--workers", 3, "--seconds", 1))
    assert shared.counted("end") == once_each(3)


def test_a_killed_training_is_tried_again(stub):
    process = stub.start("run", "--workers", 1, "--seconds", 1, "--seeds", 1)
    os.kill(stub.wait_for("begin")[2], signal.SIGKILL)
    assert "SIGKILL (out of memory?)" in succeeded(process)
    assert stub.counted("end") == once_each(1)


def test_a_worker_that_slept_too_long_loses_its_trial(shared):
    """What it finishes all the same isn't counted twice."""
    first = shared.start("first", "--workers", 1, "--seconds", 3, "--seeds", 1)
    _, _, training = shared.wait_for("begin")
    first.send_signal(signal.SIGSTOP)
    second = shared.start("second", "--workers", 1, "--seconds", 3, "--seeds", 1, "--grace", 1)
    shared.wait_for("begin", 2)
    first.send_signal(signal.SIGCONT)
    succeeded(second)
    succeeded(first)
    assert shared.table("first") == shared.table("second")
    assert is_gone(training)


# Together


def test_two_sweeps_at_once_share_the_trials(shared):
    words = "--workers", 2, "--seeds", 8, "--rows", "a,b", "--seconds", 0.3, "--grace", 24
    both = [shared.start(name, *words) for name in ("first", "second")]
    for process in both:
        succeeded(process)
    assert shared.counted("begin") == shared.counted("end") == once_each(8, "ab")
    assert shared.table("first") == shared.table("second")
    assert len(shared.table("first")["rows"]) == 16
    both_trained = [
        len(list((shared.folder / name).glob("*/metrics.jsonl"))) for name in ("first", "second")
    ]
    assert both_trained == [16, 16]  # the database brought what the other one trained


READ_STUDY = """
import json, optuna, sys
study = optuna.load_study(study_name="sweep", storage=sys.argv[1])
print(json.dumps({
    "directions": [direction.name for direction in study.directions],
    "best": study.best_trial.user_attrs["task"],
    "trials": [[trial.state.name, trial.params, trial.value] for trial in study.trials],
    "laws": len({str(trial.distributions) for trial in study.trials}),
}))
"""


def test_more_seeds_later_and_optuna_reads_them_all(shared):
    assert shared.run("run", "--seeds", 2).returncode == 0
    done = shared.run("run", "--seeds", 4)
    assert done.returncode == 0 and "2 of 4 done" in done.stderr
    assert shared.counted("begin") == once_each(4)
    assert len(shared.table("run")["rows"]) == 4
    done = subprocess.run(
        [PYTHON, "-c", READ_STUDY, shared.storage], capture_output=True, text=True, check=True
    )
    study = json.loads(done.stdout)
    assert study["directions"] == ["MINIMIZE"] and study["best"] == "a-seed1"
    assert study["trials"][1] == ["COMPLETE", {"row": "a", "lr": 2.25}, 0.2]
    assert study["laws"] == 1  # so that trials of both times can be compared


def test_what_a_training_finished_is_taken_over(stub):
    folder = stub.folder / "run" / "a-seed1"
    folder.mkdir(parents=True)
    (folder / "result.json").write_text('{"name": "a-seed1", "loss": 0.1}')
    assert stub.run("run").returncode == 0
    assert stub.counted("begin") == {"a-seed2": 1, "a-seed3": 1}
    assert len(stub.table("run")["rows"]) == 3


# What goes wrong


def test_a_failing_program_is_tried_twice_and_the_rest_goes_on(stub):
    done = stub.run("run", "--fail", "a-seed2")
    assert done.returncode == 2
    assert "error: a-seed2: the loss became nan (exit status 2)" in done.stderr
    assert stub.counted("begin") == {"a-seed1": 1, "a-seed2": 2, "a-seed3": 1}
    assert len(stub.table("run")["rows"]) == 2
    # The same command says it again; on demand it tries again, as here, where the cause is gone.
    assert stub.run("run").returncode == 2 and stub.counted("begin")["a-seed2"] == 2
    status = stub.run("run", "--status").stdout
    assert "1 failed" in status and "failed   a-seed2: the loss became nan" in status
    assert stub.run("run", "--retry-failed").returncode == 0
    assert len(stub.table("run")["rows"]) == 3


def test_a_machine_on_which_nothing_works_takes_no_more(stub):
    done = stub.run("run", "--fail", "all", "--seeds", 9, "--workers", 1)
    assert done.returncode == 2 and "the first 3 trainings on this machine failed" in done.stderr
    assert len(stub.events()) == 3
    assert "0 running, 8 waiting, 1 failed" in stub.run("run", "--seeds", 9, "--status").stdout


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--jobs", 2), ("--jobs", "--workers")),
        (("--rows", "wrong"), ("--rows", "'wrong' is not accepted")),
        (("--workers", "many"), ("--workers", "many")),
        (("--grace", 0), ("--grace", "above 0")),
        (("--status",), ("no sweep was started",)),
        (("--storage", "postgresql://u:secret@127.0.0.1:1/d"), ("--storage", "'d' on 127.0.0.1")),
    ],
)
def test_bad_input_is_named(stub, words, named):
    done = stub.run("run", *words)
    assert done.returncode == 2 and all(word in done.stderr for word in named), done.stderr
    assert "secret" not in done.stderr and "Traceback" not in done.stderr
    assert not stub.events()


OPEN_ALL = """
import sys
from sweep.error import SweepError
from sweep.storage import open_storage
for url in sys.argv[1:]:
    try:
        open_storage(url, None, create=True)
        print("accepted")
    except SweepError as error:
        print(error)
"""
BAD_STORAGES = {
    "trials": "sqlite:///FILE",
    "mysql://u:secret@h/d": "'mysql'",
    "sqlite://": "needs a file",
    "sqlite:////nowhere/trials.db": "/nowhere",
    "sqlite:////proc/trials.db": "cannot write '/proc/trials.db.lock'",
    "postgresql+pg8000://u:secret@h/d": "pg8000",
    "postgresql://u:secret@127.0.0.1:x/d": "no URL",
}


def test_a_storage_that_cannot_be(tmp_path):
    (tmp_path / "text").write_text("no database, but a text that is there before")
    bad = {**BAD_STORAGES, f"sqlite:///{tmp_path}/text": "not a database"}
    done = subprocess.run(
        [PYTHON, "-c", OPEN_ALL, *bad], capture_output=True, text=True, check=True,
        env={"PYTHONPATH": str(ROOT / "tools")},
    )  # fmt: skip
    said = done.stdout.splitlines()
    assert len(said) == len(bad) and "secret" not in done.stdout
    for line, words in zip(said, bad.values()):
        assert line.startswith("--storage: ") and words in line


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    stub = Stub(tmp_path)
    assert "--out: cannot write" in stub.run("file/run").stderr


def test_another_sweep_of_the_same_name_is_refused(shared):
    assert shared.run("first").returncode == 0
    done = shared.run("second", "--seconds", 5)
    assert (
        done.returncode == 2 and "--name" in done.stderr and "--seconds 0.1 (now 5" in done.stderr
    )


def test_one_sweep_a_folder(stub):
    words = "--seconds", 60, "--seeds", 1
    stub.start("run", *words)
    stub.wait_for("begin")
    done = stub.run("run", *words)
    assert done.returncode == 2 and "another sweep or training" in done.stderr
    status = stub.run("run", *words, "--status").stdout
    assert "1 running" in status and "running  a-seed1  on " in status


def test_help_and_a_missing_folder():
    done = sweep("aspect-ratings", "--help")
    assert done.returncode == 0 and "--storage" in done.stdout and "Examples:" in done.stdout
    assert "--out" in sweep("aspect-ratings").stderr
    assert "did you mean 'graph-layout'?" in sweep("graph_layout").stderr


def test_without_optuna(tmp_path):
    """Of a Python that lacks it, one sentence says so."""
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {PYTHON} -S "$@"\n')
    python.chmod(0o755)
    done = subprocess.run(
        [PROGRAM, "sweep", "aspect-ratings", "--out", tmp_path / "run"],
        env={"SOFTTRICKS_PYTHON": str(python)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2 and "package 'optuna' is missing" in done.stderr
