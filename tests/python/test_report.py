"""The report generator, tools/report.py, on small run folders made here."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")

TOOLS = Path(__file__).resolve().parents[2] / "tools"
NODES = 5
VOID = {"meta", "br", "link", "img", "hr", "input"}


def load_tool():
    sys.path.insert(0, str(TOOLS))
    specification = importlib.util.spec_from_file_location("report_tool", TOOLS / "report.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


tool = load_tool()

from report.graph_seeds import health  # noqa: E402, needs the path set by load_tool
from report.run_folder import Seed  # noqa: E402


class Page(HTMLParser):
    """Parses strictly: every element closed in order; keeps ids, links, tables and texts."""

    def __init__(self, source):
        super().__init__(convert_charrefs=True)
        self.open, self.ids, self.uses, self.words, self.tables = [], [], [], [], []
        self.feed(source)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attributes):
        self.note(attributes)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_startendtag(self, tag, attributes):
        self.note(attributes)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data):
        if "style" in self.open:
            return
        self.words.append(data)
        if "td" in self.open or "th" in self.open:
            self.tables[-1][-1][-1] += data

    def note(self, attributes):
        for name, value in attributes:
            assert name not in ("src", "srcset", "onclick", "action"), f"{name}={value}"
            if name == "id":
                self.ids.append(value)
            if name.endswith("href"):
                assert value.startswith("#"), value
                self.uses.append(value[1:])

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.words))


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


def evaluations(precisions, elbo=-1500.0):
    return "".join(
        json.dumps({"update": 100 * k, "seconds": 2.5 * k, "elbo": elbo + k, "edge_precision": p,
                    "edge_recall": p}) + "\n"
        for k, p in enumerate(precisions))


def training(folder, row, seed, elbo, precision, recall, seconds=100.0, course=(0.2, 0.5, 0.8)):
    place = folder / f"{row}-seed{seed}"
    write(place / "metrics.jsonl", evaluations(course))
    write(place / "result.json", {
        "name": row, "seed": seed, "elbo": elbo, "edge_precision": precision,
        "edge_recall": recall, "seconds": seconds, "updates": 1234})


def sample():
    soft = [0.125 if i != j else 0 for i in range(NODES) for j in range(NODES)]
    positions = [[[0.1 * i + 0.01 * t, (0.3 * i) % 1] for i in range(NODES)] for t in range(3)]
    return {
        "truth": [[0, 1], [1, 2], [2, 3], [3, 4]], "positions": positions, "rows": {
            "spanning_tree": {"edges": [[0, 1], [1, 2], [2, 3], [0, 4]], "soft": soft},
            "independent_edges": {"edges": [[0, 1], [1, 0], [2, 1], [3, 0]], "soft": soft}}}


def config():
    return {"command": "softtricks train graph-layout --preset quick --out 'a <b> & c'",
            "preset": "quick", "task": "graph-layout", "frames": 10, "nodes": 10,
            "hidden": 64, "batch": 32, "updates": 4321}


@pytest.fixture
def folder(tmp_path):
    """Two rows, the tree with three seeds; every file of the contract."""
    out = tmp_path / "run"
    write(out / "config.json", config())
    for seed, (elbo, share) in enumerate([(-1100, 0.80), (-1103.2, 0.85), (-1108, 0.8615)], 1):
        training(out, "spanning_tree", seed, elbo, share, share, seconds=60.0 + seed)
    training(out, "independent_edges", 1, -1385.51, 0.48349, 0.92951, course=(0.2, 0.4, 0.48))
    write(out / "summary.json", {
        "task": "graph-layout", "machine": {"processor": "Abacus 3000", "date": "2001-02-03"},
        "rows": [{"name": "spanning_tree", "elbo": -1103.73, "edge_precision": 0.8372,
                  "edge_recall": 0.8372, "seconds": 62, "seeds": [1, 2, 3],
                  "command": "softtricks train graph-layout --rows spanning_tree"},
                 {"name": "independent_edges", "elbo": -1385.51, "edge_precision": 0.48349,
                  "edge_recall": 0.92951, "seconds": 100, "seeds": [1], "command": None}]})
    write(out / "picture.json", {"samples": [sample()]})
    return out


def report(folder, *options):
    """The page that the tool writes; fails the test where it does not."""
    assert tool.main([str(folder), *options]) == 0
    return Page((folder / "report.html").read_text(encoding="utf-8"))


def table_with(page, heading):
    """The one table of the page that has this column."""
    (found,) = [table for table in page.tables if any(heading in row for row in table)]
    return found


def results_table(page):
    table = table_with(page, "Edge distribution")
    return {row[0].replace("\N{NO-BREAK SPACE}", " "): row[1:] for row in table}


def test_table_holds_mean_and_deviation_beside_the_poster(folder):
    rows = results_table(report(folder))
    # By hand: mean -1103.733, deviation 4.027; precision 0.83717 and 0.03271; seconds 62.
    assert rows["Spanning tree"] == ["3", "−1104 ± 4", "83.7 ± 3.3", "83.7 ± 3.3", "1 min 02 s",
                                     "−1080 ± 110", "91 ± 3", "91 ± 3"]
    assert rows["Independent edges"] == ["1", "−1386", "48.3", "93.0", "1 min 40 s", "−1370 ± 20",
                                         "48 ± 2", "93 ± 3"]


def test_of_a_searched_row_the_chosen_trial_is_shown(folder):
    summary = json.loads((folder / "summary.json").read_text())
    summary["rows"][0] = {
        "name": "spanning_tree", "trials": 3, "seed": 1, "elbo": -1100, "elbo_std": 3.4,
        "edge_precision": 0.8, "edge_precision_std": 0.021, "edge_recall": 0.8,
        "edge_recall_std": None, "seconds": 186}
    write(folder / "summary.json", summary)
    page = report(folder)
    assert results_table(page)["Spanning tree"][:5] == [
        "1 of 3", "−1100 ± 3", "80.0 ± 2.1", "80.0", "1 min 02 s"]
    assert "by bootstrapping" in page.text and "over seeds" not in page.text
    trials = table_with(page, "Setting")[1]
    assert trials[1] == "best of 3 random trials; 1 seed of one configuration"


def test_says_what_differs_from_the_poster(folder):
    write(folder / "config.json", {**config(), "clip-norm": 0.0, "prediction-steps": 0,
                                   "second-decay": 0.9, "lr": "1e-3,top_edges=2e-3"})
    page = report(folder)
    assert table_with(page, "Setting") == [
        ["Setting", "This run, preset quick", "Poster"],
        ["Trials", "1 to 3 seeds of one configuration", "best of several random trials"],
        ["Hidden units", "64", "256"],
        ["Graphs per update", "32", "128"],
        ["Updates", "4,321", "50,000"],
        ["Learning rate", "1e-3,top_edges=2e-3", "tuned"],
        ["Adam's decay of squared gradients", "0.9", "0.999"]]
    assert "The same as the poster's: frames 10; points 10." in page.text
    assert "Not recorded in config.json: training graphs; test graphs." in page.text


def test_every_seed_is_listed_with_its_numbers(folder):
    page = report(folder)
    seeds = table_with(page, "Course")
    assert ["2", "−1103", "85.0", "85.0", "80.0", "80.0", "1,234", "1 min 02 s",
            "steady"] in seeds
    assert any("3 seeds, none collapsed, lowest final precision 80.0 %" in row[0] for row in seeds)


@pytest.mark.parametrize("course, finished, words, alarm", [
    ((0.2, 0.6, 0.8), True, "steady", False),
    ((0.2, 0.8, 0.21), True, "collapsed to chance", True),
    ((0.2, 0.8, 0.25), False, "collapsed to chance, unfinished", True),
    ((0.2, 0.8, None), True, "diverged", True),
    ((0.2, 0.19, 0.22), True, "never left chance", True),
    ((0.2, 0.19), False, "unfinished", False),
    ((0.2, 0.8, 0.65), True, "ends 15.0 points below its highest", True),
    ((), False, "unfinished", False),
])
def test_course_of_a_training(course, finished, words, alarm):
    lines = [json.loads(line) for line in evaluations(course).splitlines()]
    assert health(Seed("spanning_tree", 1, lines, {"elbo": 1} if finished else None), 0.2) == (
        words, alarm)


def test_collapse_is_counted(folder):
    training(folder, "spanning_tree", 4, -1100, 0.8, 0.8, course=(0.2, 0.8, 0.205))
    page = report(folder)
    assert re.search(r"4 seeds, 1 collapsed , lowest final precision 20.5 %", page.text)
    assert any(row[-1] == "collapsed to chance" for row in table_with(page, "Course"))


def test_picture_counts_edges_and_directions(folder):
    page = report(folder)
    # Tree: 3 of its 4 edges are true. Independent: (0,1), (1,0), (2,1) are true, of 8 directions.
    assert "3 of 4 correct, 1 missed" in page.text
    assert "3 of 4 correct, 5 missed" in page.text
    assert page.text.count(".12") >= 2 * NODES * (NODES - 1)  # values of both soft samples


def test_directions_count_where_the_soft_sample_has_them(folder):
    drawn = sample()
    drawn["rows"]["independent_edges"] = {
        "edges": [[0, 1]], "soft": [0.1 * (i > j) for i in range(NODES) for j in range(NODES)]}
    write(folder / "picture.json", {"samples": [drawn]})
    assert "1 of 1 correct, 7 missed" in report(folder).text


def test_commands_date_and_machine_are_shown_escaped(folder):
    report(folder)
    source = (folder / "report.html").read_text(encoding="utf-8")
    assert "--out &#x27;a &lt;b&gt; &amp; c&#x27;" in source
    assert "--rows spanning_tree" in source
    assert "Abacus 3000" in source and "2001-02-03" in source


def test_page_is_self_contained_and_its_ids_are_unique(folder):
    page = report(folder)
    source = (folder / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"https?:|//[a-z]|@import|<script|<link|<iframe|DOCTYPE svg", source)
    assert len(page.ids) == len(set(page.ids))
    assert set(page.uses) | set(re.findall(r"url\(#(\w+)\)", source)) <= set(page.ids)
    assert re.findall(r"url\((?!#)", source) == []
    assert source.count("<svg") > 10


def test_drawings_follow_the_colours_of_the_page(folder):
    report(folder)
    source = (folder / "report.html").read_text(encoding="utf-8")
    style, body = source.split("</style>")
    assert not re.search(r"#[0-9a-f]{6}\b", body), "a colour that dark mode can't change"
    defined = set(re.findall(r"(--[\w-]+):", style))
    assert set(re.findall(r"var\((--[\w-]+)\)", source)) <= defined


def test_two_runs_are_byte_identical(folder, tmp_path):
    pages = []
    for seed in ("1", "2"):
        out = tmp_path / f"{seed}.html"
        subprocess.run([sys.executable, TOOLS / "report.py", folder, "--out", out], check=True,
                       env={**os.environ, "PYTHONHASHSEED": seed}, stdout=subprocess.DEVNULL)
        pages.append(out.read_bytes())
    assert pages[0] == pages[1]


def test_page_is_replaced_by_an_equal_one_and_nothing_is_left_behind(folder):
    report(folder)
    first = (folder / "report.html").read_bytes()
    report(folder)
    assert (folder / "report.html").read_bytes() == first
    assert [path.name for path in folder.glob(".*")] == []


@pytest.mark.parametrize("lost", ["summary.json", "picture.json", "config.json"])
@pytest.mark.parametrize("damage", [None, "{ half a"])
def test_lost_or_damaged_file_is_named_and_the_rest_is_there(folder, lost, damage):
    (folder / lost).unlink()
    if damage is not None:
        write(folder / lost, damage)
    page = report(folder)
    assert lost in page.text and "lacks" in page.text
    assert results_table(page)["Spanning tree"][2] == "83.7 ± 3.3"


def test_interrupted_run(folder):
    place = folder / "top_edges-seed7"
    write(place / "metrics.jsonl", evaluations((0.2, 0.3, 0.4)) + '{"update": 300, "elb')
    page = report(folder)
    assert "top_edges-seed7/metrics.jsonl: 1 unreadable line was left out" in page.text
    assert "not finished, the last evaluation is at update 200" in page.text
    assert "1 seed, 1 unfinished, none collapsed" in page.text
    assert not [row for row in results_table(page) if row.startswith("|V|")]


def test_only_configuration(tmp_path):
    write(tmp_path / "config.json", {"task": "graph-layout"})
    text = report(tmp_path).text
    assert "No training has begun" in text
    assert "No training of this run has finished yet" in text


def test_lists_in_place_of_objects(tmp_path):
    write(tmp_path / "config.json", {"task": "graph-layout", "frames": [10], "nodes": "ten"})
    for name in ("summary.json", "picture.json", "a-seed1/result.json", "a-seed1/metrics.jsonl"):
        write(tmp_path / name, [1, [2]])
    text = report(tmp_path).text
    assert "summary.json holds no JSON object" in text
    assert "No training of this run has finished yet" in text


def test_one_row_and_nulls(tmp_path):
    write(tmp_path / "config.json", {"task": "graph-layout", "frames": 20, "command": None})
    training(tmp_path, "new_row", 1, None, None, 0.5, seconds=None, course=(None, None))
    page = report(tmp_path)
    assert results_table(page)["New row"] == ["1", "–", "–", "50.0", "–"]
    assert "for 20 it shows no figures" in page.text


def test_later_line_of_a_continued_run_counts(tmp_path):
    write(tmp_path / "config.json", {"task": "graph-layout"})
    place = tmp_path / "spanning_tree-seed1"
    write(place / "metrics.jsonl", evaluations((0.2, 0.9, 0.9)) + evaluations((0.2, 0.6)))
    page = report(tmp_path)
    assert table_with(page, "Course")[-1][4:6] == ["90.0", "90.0"]
    write(place / "metrics.jsonl", evaluations((0.2, 0.9)) + evaluations((0.2, 0.6)))
    assert table_with(report(tmp_path), "Course")[-1][4:6] == ["60.0", "60.0"]


def test_summary_steps_in_for_removed_seeds(folder):
    for seed in (1, 2, 3):
        (folder / f"spanning_tree-seed{seed}" / "result.json").unlink()
    assert results_table(report(folder))["Spanning tree"][:3] == ["3", "−1104", "83.7"]


@pytest.mark.parametrize("broken", [
    {"positions": [[[0, 0]] * 2]}, {"truth": [[0, 9]], "positions": [[[0, 0]] * 2]},
    {"truth": [], "positions": []}, {"truth": [], "positions": [[[0, None]] * 2]},
    {"truth": [[0, 1]], "positions": [[[0, 0], [1, 1]]], "rows": {"a": {"edges": [[0, 1]],
                                                                      "soft": [1, 2]}}}])
def test_broken_example_is_left_out(tmp_path, broken):
    write(tmp_path / "config.json", config())
    write(tmp_path / "picture.json", {"samples": [broken, sample()]})
    text = report(tmp_path).text
    assert "picture.json: example 1 was left out" in text
    assert "3 of 4 correct, 1 missed" in text


@pytest.mark.parametrize("make, words", [
    (lambda place: None, "is not a folder"),
    (lambda place: place.write_text("a file"), "is not a folder"),
    (lambda place: place.mkdir(), "is not a run folder"),
    (lambda place: write(place / "config.json", "{"), "is not a run folder"),
    (lambda place: write(place / "config.json", {"task": 3}), "is not a run folder"),
    (lambda place: write(place / "config.json", {"task": "knitting"}), "graph-layout"),
    (lambda place: (place / "config.json").mkdir(parents=True), "cannot be read"),
])
def test_folder_that_is_no_run_is_refused(tmp_path, capsys, make, words):
    place = tmp_path / "place"
    make(place)
    assert tool.main([str(place)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("report: RUN_FOLDER: ") and words in error and str(place) in error
    assert not (tmp_path / "place" / "report.html").exists()


def test_unwritable_goal_keeps_what_is_there(folder, tmp_path, capsys):
    assert tool.main([str(folder), "--out", str(tmp_path / "none" / "x.html")]) == 2
    assert "cannot write" in capsys.readouterr().err
    goal = tmp_path / "goal"
    write(goal / "precious", "kept")
    assert tool.main([str(folder), "--out", str(goal)]) == 2  # a folder can't be replaced
    assert (goal / "precious").read_text() == "kept"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["goal", "run"]
