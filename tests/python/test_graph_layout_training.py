"""Trainings of the graph-layout experiment: killed, continued, repeated, and given bad input."""

import fcntl
import json
import os
import signal
import subprocess
import time

import pytest
from graph_layout_program import PROGRAM, needs_program, run, train

pytestmark = needs_program
ROWS = "independent_edges,top_edges,spanning_tree,reinforce,nvil,leave_one_out"


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
    """A training nobody disturbed."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    train(folder)
    return folder


def test_the_run_folder(whole):
    summary = json.loads((whole / "summary.json").read_text())
    (row,) = summary["rows"]
    assert summary["task"] == "graph-layout" and row["name"] == "spanning_tree"
    assert row["seeds"] == [1] and row["seconds"] > 0 and "--rows spanning_tree" in row["command"]
    assert row["edge_precision"] == pytest.approx(row["edge_recall"])  # 9 edges of 9
    config = json.loads((whole / "config.json").read_text())
    assert config["preset"] == "test" and config["command"].startswith("softtricks train ")
    (picture, *_) = json.loads((whole / "picture.json").read_text())["samples"]
    assert len(picture["truth"]) == 9 and len(picture["rows"]["spanning_tree"]["edges"]) == 9
    assert len(picture["positions"]) == 10 and len(picture["positions"][0]) == 10
    assert sum(picture["rows"]["spanning_tree"]["soft"]) == pytest.approx(18, abs=1e-3)
    updates = [entry["update"] for entry in results(whole / "spanning_tree-seed1")[0]]
    assert updates == [0, 20, 40, 60]


def test_one_seed_gives_the_same_bits_twice(whole, tmp_path):
    train(tmp_path / "run")
    again, first = tmp_path / "run" / "spanning_tree-seed1", whole / "spanning_tree-seed1"
    assert results(again) == results(first)


def kill_after(seconds, folder):
    """Starts a training and kills it and its children at once; was it still running?"""
    arguments = ["--preset", "test", "--no-report", "--rows", "spanning_tree", "--jobs", "1"]
    arguments += ["--threads", "1", "--out", str(folder), "--data", str(folder.parent / "data")]
    process = subprocess.Popen(
        [PROGRAM, *arguments], start_new_session=True, stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    time.sleep(seconds)
    running = process.poll() is None
    if running:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return running


def test_killed_again_and_again_ends_the_same(whole, tmp_path):
    folder = tmp_path / "run"
    train(tmp_path / "other", "--updates", 1)  # draws the data
    kills, pause = 0, 0.3
    while kill_after(pause, folder):
        kills += 1
        pause = 0.3 + 0.13 * (kills % 7) + 0.05 * kills  # longer, so that it ends some day
    assert kills > 0
    train(folder)
    assert results(folder / "spanning_tree-seed1") == results(whole / "spanning_tree-seed1")


def test_a_finished_row_is_not_trained_again(whole):
    result = whole / "spanning_tree-seed1" / "result.json"
    before = result.stat().st_mtime_ns
    assert "done already" in train(whole).stderr
    assert result.stat().st_mtime_ns == before


def test_every_row_trains(tmp_path):
    train(tmp_path / "run", "--rows", ROWS, "--updates", 5, "--jobs", 0)
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert [row["name"] for row in summary["rows"]] == ROWS.split(",")


@pytest.mark.parametrize("rows", ["top_edges", "reinforce", "nvil", "leave_one_out"])
def test_quirks_of_the_reference(rows, tmp_path):
    train(tmp_path / "run", "--rows", rows, "--updates", 5, "--reference-quirks")


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--temperature", "0"], ["--temperature", "0", "above 0"]),
        (["--temperature", "nan"], ["--temperature", "nan", "finite"]),
        (["--lr", "tree=1"], ["--lr", "tree=1", "row"]),
        (["--rows", "forest"], ["--rows", "forest", "spanning_tree"]),
        (["--seeds", "-1"], ["--seeds", "-1", "0"]),
        (["--batch", "0"], ["--batch", "0", "1"]),
        (["--nodes", "1"], ["--nodes", "1", "2"]),
        (["--schedule", "up"], ["--schedule", "up", "cosine"]),
        (["--preset", "slow"], ["--preset", "slow", "quick"]),
        (["--updates", "many"], ["--updates", "many"]),
        (["--nonsense"], ["--nonsense"]),
        (["--frames-per-update", "12"], ["--frames-per-update", "12", "--frames"]),
    ],
)
def test_bad_options(arguments, words, tmp_path):
    result = run(*arguments, "--out", tmp_path / "run", "--data", tmp_path / "data")
    assert result.returncode == 2
    assert all(word in result.stderr for word in words), result.stderr
    assert not (tmp_path / "run").exists()


def test_other_options_for_the_same_folder(whole):
    result = train(whole, "--hidden", 9, check=False)
    assert result.returncode == 2
    assert all(word in result.stderr for word in ("--out", "--hidden", "8", "9")), result.stderr


def spoil(path, change):
    content = bytearray(path.read_bytes())
    path.write_bytes(change(content))


def cut(content):
    return content[: len(content) // 2]


def flip(content):
    content[len(content) * 3 // 4] ^= 1
    return content


@pytest.mark.parametrize("change", [cut, flip, lambda content: b""])
def test_damaged_data(change, tmp_path):
    train(tmp_path / "run", "--updates", 1)
    (file,) = (tmp_path / "data").glob("*.safetensors")
    spoil(file, change)
    result = train(tmp_path / "other", "--updates", 1, check=False)
    assert result.returncode == 2 and str(file) in result.stderr and "damaged" in result.stderr
    file.unlink()
    train(tmp_path / "other", "--updates", 1)


@pytest.mark.parametrize("change", [cut, flip, lambda content: b""])
def test_damaged_checkpoint(change, tmp_path):
    train(tmp_path / "run")
    folder = tmp_path / "run" / "spanning_tree-seed1"
    (folder / "result.json").unlink()
    spoil(folder / "last.safetensors", change)
    result = train(tmp_path / "run", check=False)
    assert result.returncode == 2
    assert "last.safetensors" in result.stderr and "damaged" in result.stderr


def test_unwritable_folder(tmp_path):
    (tmp_path / "file").write_text("")
    result = run("--out", tmp_path / "file" / "run", "--data", tmp_path / "data")
    assert result.returncode == 2
    assert "--out" in result.stderr and "file" in result.stderr


def test_full_disk(whole, tmp_path):
    """A limit on a file's size stands for the full disk: what was there stays."""
    folder = tmp_path / "run"
    train(folder, "--updates", 1)
    (file,) = (tmp_path / "data").glob("*.safetensors")
    before = file.read_bytes()
    limited = (
        f"trap '' XFSZ; ulimit -f 20; exec {PROGRAM} --preset test --no-report "
        f"--rows top_edges --out {tmp_path / 'small'} --data {tmp_path / 'data'} --data-seed 7"
    )
    result = subprocess.run(["bash", "-c", limited], capture_output=True, text=True, timeout=300)
    assert result.returncode == 2 and "data file" in result.stderr, result.stderr
    assert [file] == list((tmp_path / "data").iterdir()) and file.read_bytes() == before


def test_a_folder_in_use(tmp_path):
    (tmp_path / "run").mkdir()
    with open(tmp_path / "run" / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = train(tmp_path / "run", check=False)
    assert result.returncode == 2
    assert "--out" in result.stderr and "another training" in result.stderr
