"""Trainings of the learning-to-explain experiment: every row, killed, continued, repeated, searched,
and given bad input."""

import json
import os
import signal
import subprocess
import time

import pytest
from aspect_ratings_program import PROGRAM, needs_program, run, train

pytestmark = needs_program
ROWS = (
    "l2x softsub euclidean categorical binary gibbs correlated implicit_mle "
    "adaptive_implicit_mle simple straight_through score_function simple_correlated"
).split()


def results(folder):
    """What a training says, without the clock."""
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    result = json.loads((folder / "result.json").read_text())
    for entry in (*lines, result):
        del entry["seconds"]
    best = (folder / "best.safetensors").read_bytes()
    return lines, result, best, (folder / "picture.json").read_text()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A training of all rows that nobody disturbed."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    train(folder)
    return folder


def test_every_row_is_in_the_summary(whole):
    summary = json.loads((whole / "summary.json").read_text())
    assert [row["name"] for row in summary["rows"]] == ROWS
    for row in summary["rows"]:
        assert row["k"] == 3 and row["trials"] == 1 and row["mse_std"] is None
        assert 0 < row["mse"] < 0.3 and 0 <= row["precision"] <= 1
        assert f"--rows {row['name']} --k 3" in row["command"]
        assert 0.0005 <= row["lr"] <= 0.01 and 0.1 <= row["temperature"] <= 2
        assert row["chance_precision"] == pytest.approx(0.178, abs=0.02)
        updates = [e["update"] for e in results(whole / f"{row['name']}-k3-seed1")[0]]
        assert updates == [0, 10, 20, 30]


def test_pictures_hold_selections_and_their_distribution(whole):
    samples = json.loads((whole / "picture.json").read_text())["samples"]
    assert len(samples) == 3
    for sample in samples:
        assert [row["name"] for row in sample["rows"]] == ROWS
        assert len(sample["truth"]) == len(sample["words"])
        for row in sample["rows"]:
            assert len(row["selected"]) == len(row["often"]) == len(sample["words"])
            assert sum(row["selected"]) == pytest.approx(3)
            assert sum(row["often"]) == pytest.approx(3, abs=1e-3)


def test_one_seed_gives_the_same_bits_twice(whole, tmp_path):
    train(tmp_path / "run", "--rows", "correlated")
    name = "correlated-k3-seed1"
    assert results(tmp_path / "run" / name) == results(whole / name)


def kill_after(seconds, folder, row):
    """Starts a training and kills it and its children at once; was it still running?"""
    arguments = ["--preset", "test", "--no-report", "--rows", row, "--jobs", "1"]
    arguments += ["--threads", "1", "--out", str(folder)]
    process = subprocess.Popen(
        [PROGRAM, *arguments], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    time.sleep(seconds)
    running = process.poll() is None
    if running:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return running


@pytest.mark.parametrize("row", ["adaptive_implicit_mle", "gibbs"])
def test_a_killed_training_ends_as_if_it_had_not_been(whole, tmp_path, row):
    folder = tmp_path / "run"
    killed = sum(kill_after(0.15 + 0.1 * i, folder, row) for i in range(4))
    train(folder, "--rows", row)
    assert killed > 0
    name = f"{row}-k3-seed1"
    assert results(folder / name) == results(whole / name)


def test_seeds_are_trials_of_a_random_search(tmp_path):
    train(tmp_path / "run", "--rows", "gibbs", "--seeds", "1..3", "--k", "2,4")
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert [row["k"] for row in summary["rows"]] == [2, 4]
    for row in summary["rows"]:
        trials = [
            json.loads((tmp_path / "run" / f"gibbs-k{row['k']}-seed{seed}/result.json").read_text())
            for seed in (1, 2, 3)
        ]
        assert len({trial["lr"] for trial in trials}) == 3
        best = min(trials, key=lambda trial: trial["validation_mse"])
        assert (row["mse"], row["precision"]) == (best["mse"], best["precision"])
        # The standard error of a choice is no more than half the spread of what it chooses from.
        errors = [trial["mse"] for trial in trials]
        assert row["trials"] == 3 and 0 < row["mse_std"] <= (max(errors) - min(errors)) / 2 + 1e-9


def test_the_complex_encoder_trains(tmp_path):
    train(tmp_path / "run", "--rows", "correlated,l2x", "--encoder", "complex")


def test_a_longer_selection_than_a_review_takes_all_of_it(tmp_path):
    done = train(tmp_path / "run", "--rows", ",".join(ROWS), "--k", "12", "--longest", "9")
    assert "nan" not in done.stdout


def test_other_options_are_refused_in_the_same_folder(tmp_path):
    train(tmp_path / "run", "--rows", "gibbs")
    done = train(tmp_path / "run", "--rows", "gibbs", "--lr", "0.5", check=False)
    assert done.returncode == 2 and "--lr" in done.stderr
    assert "done already" in train(tmp_path / "run", "--rows", "gibbs").stderr


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--rows", "top"), ("--rows", "gibbs")),
        (("--k", "0"), ("--k", "1")),
        (("--k", "2.5"), ("--k", "whole")),
        (("--seeds", "3..1"), ("--seeds",)),
        (("--lr", "-1"), ("--lr", "above 0")),
        (("--lr", "2..1"), ("--lr", "LEAST..MOST")),
        (("--temperature", "gibs=1"), ("--temperature", "row")),
        (("--dropout", "1"), ("--dropout", "[0, 1)")),
        (("--corpus", "yelp"), ("--corpus", "cebab")),
        (("--corpus", "cebab"), ("--files",)),
        (("--aspect", "smell"), ("--aspect", "aroma")),
        (("--samples", "1"), ("--samples", "2")),
        (("--preset", "slow"), ("--preset", "quick")),
        (("--no-such",), ("--no-such",)),
    ],
)
def test_bad_input_is_named(tmp_path, arguments, named):
    done = run("--no-report", "--out", tmp_path / "run", *arguments)
    assert done.returncode == 2 and all(word in done.stderr for word in named), done.stderr
    assert not (tmp_path / "run" / "summary.json").exists()


def test_diverging_is_said(tmp_path):
    done = train(tmp_path / "run", "--rows", "gibbs", "--lr", "1e30", check=False)
    assert done.returncode == 2 and "the loss became" in done.stderr
