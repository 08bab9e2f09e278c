"""The command line's help, lists and timings, and the programs that it starts."""

import json
import shutil
import subprocess
import sys

import pytest
from cli_program import PROGRAM, complaint, offers, output

COMMANDS = ["list", "solve", "sample", "relax", "train", "sweep", "report", "bench"]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_an_example(command):
    text = output(command, "--help").decode()
    assert "Example:\n" in text and f"softtricks {command} " in text.split("Example:")[1]


def test_help_of_all():
    text = output("--help").decode()
    assert all(f"\n  {command} " in text for command in COMMANDS) and "Example:" in text


def examples():
    for command in ("solve", "sample", "relax"):
        yield output(command, "--help").decode().split("Example:\n  ")[1].strip()


def test_examples_of_the_help_work():
    for example in examples():
        line = example.replace("softtricks", str(PROGRAM))
        done = subprocess.run(["sh", "-c", line], capture_output=True, timeout=60)
        assert done.returncode == 0 and done.stdout and not done.stderr


def test_version():
    name, number = output("--version").decode().split()
    assert name == "softtricks" and number.count(".") == 2


def test_list():
    lines = output("list").decode().splitlines()
    assert lines[0].split("\t") == ["structure", "shape", "verb", "regularizers"]
    rows = [line.split("\t") for line in lines[1:] if not line.startswith("#")]
    assert ["k_subset", "items,k", "argmax", ""] in rows
    assert ["grid_path", "rows,columns", "relax", "gibbs_entropy,squared_norm"] in rows
    assert any(line.startswith("# perturbations\tgumbel,") for line in lines)
    assert "# parameters of sum_of_gamma\tk=1,scale=1,terms=10" in lines
    assert any(line.startswith("# instruction set\t") for line in lines)


def test_list_as_json_says_the_same():
    rows = [line.split("\t") for line in output("list").decode().splitlines()[1:]
            if not line.startswith("#")]
    document = offers()
    assert rows == [[s["name"], ",".join(s["shape"]), verb, ",".join(about["regularizers"])]
                    for s in document["structures"] for verb, about in s["verbs"].items()]
    assert "gumbel" in document["perturbations"] and document["instruction_set"]
    assert document["perturbations"]["normal"]["parameters"] == {"scale": 1}
    assert "kl" in document["perturbations"]["normal"]["verbs"]
    assert document["perturbations"]["exponential"]["parameters"] == {}


def test_every_field_has_an_option():
    text = output("solve", "--help").decode()
    for structure in offers()["structures"]:
        for field in structure["shape"]:
            assert f"--{field} " in text


BENCH = ("bench", "--rounds", "1", "--batch", "16", "--structure", "spanning_tree", "--nodes", "5")


def test_bench_times_every_verb():
    lines = output(*BENCH, "--threads", "2").decode().splitlines()
    head, *rows = (line.split("\t") for line in lines)
    rows = [dict(zip(head, row)) for row in rows]
    tree = next(s for s in offers()["structures"] if s["name"] == "spanning_tree")
    assert {row["verb"] for row in rows} == set(tree["verbs"])
    assert {row["dtype"] for row in rows} == {"float32", "float64"}
    assert all(row["shape"] == "nodes=5" and row["threads"] == "2" for row in rows)
    assert all(float(row["microseconds_an_instance"]) > 0 for row in rows)


def test_bench_as_json():
    document = json.loads(output(*BENCH, "--json", "--verb", "argmax,marginals", "--dtype", "float32"))
    assert [(t["structure"], t["shape"], t["verb"]) for t in document["timings"]] == [
        ("spanning_tree", {"nodes": 5}, "argmax"), ("spanning_tree", {"nodes": 5}, "marginals")]


def test_bench_of_nothing():
    assert "--structure" in complaint("bench", "--structure", "tree")
    assert "bench" in complaint("bench", "--nodes", "5", "--structure", "one_hot")
    assert "nodes" in complaint("bench", "--nodes", "1")
    assert "temperature" in complaint(*BENCH, "--verb", "relax", "--temperature", "0")


def write_script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def moved(folder):
    """A copy of the program, away from all that was built with it."""
    (folder / "bin").mkdir()
    return shutil.copy(PROGRAM, folder / "bin" / "softtricks")


def run(program, *arguments, **options):
    return subprocess.run([program, *arguments], capture_output=True, timeout=60, text=True,
                          **options)


@pytest.mark.parametrize("place", ["bin", "experiments/graph_layout", "libexec/softtricks"])
def test_train_hands_everything_on(tmp_path, place):
    program = moved(tmp_path)
    write_script(tmp_path / place / "softtricks-graph-layout", 'printf "%s|" "$@"; exit 7')
    done = run(program, "train", "graph-layout", "--help", "-x", "two words", "--json")
    assert done.returncode == 7
    assert done.stdout == "--help|-x|two words|--json|"


def test_train_without_its_program(tmp_path):
    done = run(moved(tmp_path), "train", "graph-layout", "--help")
    assert done.returncode == 1
    assert "softtricks-graph-layout" in done.stderr and "quickstart" in done.stderr
    assert done.stderr.count("\n") == 1


def test_train_of_something_unknown():
    assert "did you mean 'graph-layout'?" in complaint("train", "graph_layout", "--seed", "1")
    assert "EXPERIMENT" in complaint("train") and "EXPERIMENT" in complaint("sweep")


def test_sweep_hands_everything_on_to_python(tmp_path):
    program = moved(tmp_path)
    experiment = write_script(tmp_path / "bin" / "softtricks-graph-layout", "exit 7")
    python = write_script(tmp_path / "python", 'printf "%s|" "$@"')
    done = run(program, "sweep", "graph-layout", "--help", "-x", "two words",
               env={"SOFTTRICKS_PYTHON": str(python)})
    script, *rest = done.stdout.split("|")
    assert script.endswith("tools/sweep.py")
    assert rest == [str(experiment), "--help", "-x", "two words", ""]


def test_report_starts_python(tmp_path):
    python = write_script(tmp_path / "python", 'printf "%s|" "$@"')
    done = run(PROGRAM, "report", "runs/x y", "--out", "p.html",
               env={"SOFTTRICKS_PYTHON": str(python)})
    script, *rest = done.stdout.split("|")
    assert script.endswith("tools/report.py") and rest == ["runs/x y", "--out", "p.html", ""]


def test_report_of_nothing(tmp_path):
    pytest.importorskip("matplotlib")
    done = run(PROGRAM, "report", tmp_path / "missing", env={"SOFTTRICKS_PYTHON": sys.executable})
    assert done.returncode == 2
    assert "RUN_FOLDER" in done.stderr and "missing" in done.stderr
    assert "RUN_FOLDER" in complaint("report")


def test_report_without_python():
    done = run(PROGRAM, "report", "x", env={"SOFTTRICKS_PYTHON": "/nowhere/python"})
    assert done.returncode == 1 and "/nowhere/python" in done.stderr
