"""The report of learning to explain, from run folders written by hand."""

import json
import re
import sys
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
from report import aspect_ratings, figures  # noqa: E402
from report.run_folder import RunFolder  # noqa: E402


def line(name, k, mse, precision, std=0.01):
    return {"name": name, "k": k, "trials": 3, "mse": mse, "mse_std": 0.001, "seconds": 65.0,
            "precision": precision, "precision_std": std, "sampled_precision": precision and precision / 2,
            "sampled_precision_std": None, "chance_precision": 0.178, "constant_mse": 0.04,
            "command": f"softtricks train aspect-ratings --rows {name} --k {k}"}  # fmt: skip


def write(folder, *, rows, samples):
    folder.mkdir(exist_ok=True)
    config = {"task": "aspect-ratings", "corpus": "generated", "aspect": "appearance"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "summary.json").write_text(json.dumps({**config, "rows": rows}))
    (folder / "picture.json").write_text(json.dumps({"samples": samples}))
    return aspect_ratings.report(RunFolder.load(folder))


def sample():
    return {"words": ["<b>", "crisp", "head", "."], "truth": [0, 1, 1, 0], "rating": 0.7,
            "rows": [{"name": "gibbs", "k": 2, "predicted": 0.61, "selected": [0, 1, 0, 1],
                      "often": [0, 0.8, 0.4, 0.8]}]}  # fmt: skip


def plain_text(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


def test_the_table_stands_beside_the_poster(tmp_path):
    rows = [line("gibbs", 10, 0.0312, 0.3), line("correlated", 10, 0.0254, 0.55)]
    words = plain_text(write(tmp_path / "run", rows=rows, samples=[]))
    ours = "Correlated top k 3 2.54 ± 0.10 55.0 ± 1.0 27.5 1 min 05 s"
    assert f"{ours} 2.5 ± 0.1 53.1 ± 0.9" in words
    assert "E.F.-entropy top k 3 3.12 ± 0.10 30.0 ± 1.0" in words
    assert "17.8 %" in words and "drawn by a program" in words


def test_labels_are_set_apart():
    for wanted in ([0.5] * 5, [0.98, 0.99, 1], [0, 0.001, 0.9], [0.2, 0.4, 0.8]):
        heights = figures.set_apart(wanted, 0.1)
        assert all(high - low >= 0.1 - 1e-9 for low, high in zip(heights, heights[1:]))
        assert 0 <= heights[0] and heights[-1] <= 1
    assert heights == wanted  # with room enough they stay


def test_a_selection_without_k_is_left_out_with_a_note(tmp_path):
    damaged = sample()
    del damaged["rows"][0]["k"]
    page = write(tmp_path / "run", rows=[line("gibbs", 2, 0.03, 0.5)], samples=[damaged])
    assert "a review was left out" in page


def test_reviews_without_annotations_have_no_precision(tmp_path):
    row = {**line("gibbs", 2, 0.03, None, None), "chance_precision": None}
    words = plain_text(write(tmp_path / "run", rows=[row], samples=[{**sample(), "truth": [0] * 4}]))
    assert "E.F.-entropy top k 3 3.00 ± 0.10 – – " in words
    assert "not known" in words and "blindly" not in words and "in the passage" not in words
    assert "predicted 0.61" in words


def test_the_best_of_a_k_is_bold(tmp_path):
    rows = [line("gibbs", 5, 0.03, 0.3), line("l2x", 5, 0.04, 0.2), line("l2x", 9, 0.01, 0.9)]
    page = write(tmp_path / "run", rows=rows, samples=[])
    table = page[page.index("<table") : page.index("</table>")]
    assert re.findall(r"<b>([^<]*)</b>", table) == ["3.00 ± 0.10", "30.0 ± 1.0"]


def test_words_are_marked_and_escaped(tmp_path):
    page = write(tmp_path / "run", rows=[line("gibbs", 2, 0.03, 0.5)], samples=[sample()])
    assert "&lt;b&gt;" in page and "1 of 2 words in the passage" in plain_text(page)
    assert re.search(r'class="selected truth" style="[^"]*36%[^"]*">crisp<', page)
    assert re.search(r'class="truth" style="[^"]*18%[^"]*">head<', page)


def test_what_does_not_fit_is_left_out_and_said(tmp_path):
    broken = {**sample(), "truth": [1]}
    page = write(tmp_path / "run", rows=[], samples=[broken])
    assert "a review was left out" in page and "No training of this run has finished" in page
    assert "picture.json is not there" not in page
    page = write(tmp_path / "other", rows=[line("l2x", 5, None, None, None)], samples=[])
    assert "Precision against error" not in page
