"""The reviews that the learning-to-explain experiment reads: generated ones against the statistics
they were made for, and loaders on small files in the published formats."""

import json
import os
import statistics
import zipfile
from pathlib import Path

import pytest
from aspect_ratings_program import needs_program, reviews, run
from cli_program import ROOT

pytestmark = needs_program
ASPECTS = ("appearance", "aroma", "palate", "taste", "overall")
SHARES = (0.178, 0.145, 0.106, 0.280, 0.244)  # of the words, Lei et al.'s annotated reviews


@pytest.fixture(scope="module")
def generated():
    """1500 generated reviews, annotated for each aspect."""
    sizes = ("--train-reviews", 1, "--validation-reviews", 1, "--test-reviews", 1500)
    return [reviews("--aspect", aspect, *sizes)["annotated"] for aspect in ASPECTS]


def test_generated_lengths(generated):
    lengths = [len(review["words"]) for review in generated[0]]
    assert statistics.median(lengths) == pytest.approx(117, abs=5)
    assert statistics.mean(lengths) == pytest.approx(127, abs=4)
    assert max(lengths) <= 350  # --longest


def test_generated_aspects_have_their_share_of_words(generated):
    for share, annotated in zip(SHARES, generated, strict=True):
        true_words = sum(sum(review["truth"]) for review in annotated)
        words = sum(len(review["words"]) for review in annotated)
        assert true_words / words == pytest.approx(share, abs=0.005)


def test_generated_passages_are_one_or_two_whole_sentences(generated):
    for annotated in generated:
        for review in annotated[:300]:
            marks, words = review["truth"], review["words"]
            if len(words) == 350:
                continue  # its end may be cut off
            first, last = marks.index(1), len(marks) - 1 - marks[::-1].index(1)
            assert all(marks[first : last + 1])
            assert first == 0 or words[first - 1] == "."
            assert words[last] == "." and words[first : last + 1].count(".") in (1, 2)


def test_generated_aspects_do_not_overlap_and_share_a_text(generated):
    for five in zip(*generated, strict=True):
        assert len({tuple(review["words"]) for review in five}) == 1
        assert max(map(sum, zip(*(review["truth"] for review in five), strict=True))) <= 1


def test_generated_ratings_are_correlated_tenths(generated):
    ratings = [[review["rating"] for review in annotated] for annotated in generated]
    assert all(round(10 * r) == pytest.approx(10 * r) and 0 <= r <= 1 for r in ratings[0])
    for other in ratings[1:]:
        assert statistics.correlation(ratings[0], other) == pytest.approx(0.5, abs=0.06)
    assert statistics.mean(ratings[0]) == pytest.approx(0.5, abs=0.02)
    assert statistics.pstdev(ratings[0]) == pytest.approx(0.2, abs=0.02)


@pytest.mark.parametrize("correlation", [0, 1])
def test_the_correlation_of_aspects_can_be_set(correlation):
    sizes = ("--train-reviews", 1, "--validation-reviews", 1, "--test-reviews", 800)
    ratings = [
        [review["rating"] for review in annotated]
        for aspect in ASPECTS[:2]
        for annotated in [reviews("--aspect", aspect, "--aspect-correlation", correlation, *sizes)["test"]]
    ]
    found = statistics.correlation(*ratings)
    assert found == pytest.approx(correlation, abs=4 / 800**0.5 * (1 - correlation) + 1e-9)


def test_own_words_can_be_left_out():
    sizes = ("--train-reviews", 1, "--validation-reviews", 1, "--test-reviews", 300)

    def said(part):
        return {w for review in reviews("--own-words", part, *sizes)["test"] for w in review["words"]}

    own = {"golden", "murky", "fragrant", "skunky", "silky", "watery", "delicious", "bland"}
    assert said(0.3) >= own
    assert not said(0) & own
    assert not said(1) & {"not", "hardly", "very", "truly", "crisp", "harsh"}


@pytest.mark.parametrize("option", ["--own-words", "--aspect-correlation"])
def test_a_part_is_between_0_and_1(option):
    done = run("reviews", option, 1.5)
    assert done.returncode != 0 and option in done.stderr and "[0, 1]" in done.stderr


def in_high_over_low(annotated, words):
    """How much more often the words are in passages of high ratings than in those of low ones, and
    the standard error of that."""
    counts = {True: [0, 0], False: [0, 0]}
    for review in annotated:
        if review["rating"] == 0.5:
            continue
        passage = [w for w, t in zip(review["words"], review["truth"], strict=True) if t]
        tally = counts[review["rating"] > 0.5]
        tally[0] += sum(map(passage.count, words))
        tally[1] += len(passage)
    (high, all_high), (low, all_low) = counts.values()
    ratio = high / all_high / (low / all_low)
    return ratio, ratio * (1 / high + 1 / low) ** 0.5


def test_an_adverb_alone_says_nothing_and_an_adjective_little(generated):
    taste = generated[3]
    for adverbs in (("truly", "really", "quite", "surely"), ("not", "hardly", "never", "barely")):
        ratio, error = in_high_over_low(taste, adverbs)
        assert ratio == pytest.approx(1, abs=4 * error) and error < 0.06
    adjectives, error = in_high_over_low(taste, ("crisp", "robust", "rich", "bold"))
    own, _ = in_high_over_low(taste, ("delicious", "tasty", "luscious", "savory"))
    assert 1 + 4 * error < adjectives < own


def test_a_seed_is_a_corpus(generated):
    few = ("--train-reviews", 5, "--validation-reviews", 1, "--test-reviews", 1)
    first = reviews(*few)
    assert first == reviews(*few) and first != reviews(*few, "--data-seed", 7)


# Loaders


def write_lei(folder, *, held_out=4, rating="0.8 0.6 0.4 0.2 0.5"):
    lines = "".join(f"{rating}\tword{i} malt .\n" for i in range(held_out))
    (folder / "reviews.aspect1.train.txt").write_text("0.1 0.9 0 0 0\tsweet  malt nose .\n")
    (folder / "reviews.aspect1.heldout.txt").write_text(lines)
    note = {"x": ["a", "sweet", "nose", "."], "y": [0.1, 0.7, 0, 0, 0],
            "0": [], "1": [[1, 3], [2, 4]], "2": []}  # fmt: skip
    (folder / "annotations.json").write_text(json.dumps(note) + "\n")
    return ("--corpus", "lei", "--files", folder, "--aspect", "aroma")


def test_the_format_of_lei_et_al(tmp_path):
    parts = reviews(*write_lei(tmp_path))
    assert parts["train"] == [
        {"part": "train", "words": ["sweet", "malt", "nose", "."], "rating": 0.9, "truth": []}
    ]
    assert [r["words"][0] for r in parts["validation"]] == ["word0", "word1"]
    assert [r["words"][0] for r in parts["test"]] == ["word2", "word3"]
    assert parts["test"][0]["rating"] == 0.6
    (annotated,) = parts["annotated"]
    assert annotated["truth"] == [0, 1, 1, 1] and annotated["rating"] == 0.7


def test_reviews_without_annotations(tmp_path):
    """Someone's own: one rating a review, nobody has said which words speak of it."""
    words = {"train": "bad soup", "heldout": "good soup"}
    for part, text in words.items():
        (tmp_path / f"reviews.aspect0.{part}.txt").write_text(f"0.25\t{text}\n" * 4)
    arguments = ("--corpus", "lei", "--files", tmp_path, "--aspect", "appearance")
    parts = reviews(*arguments)
    assert [len(parts[part]) for part in ("train", "validation", "test")] == [4, 2, 2]
    assert "annotated" not in parts
    done = run("--preset", "test", "--rows", "gibbs", "--no-report", *arguments, "--out", tmp_path / "run")
    assert done.returncode == 0 and "nan" not in done.stdout
    (row,) = json.loads((tmp_path / "run" / "summary.json").read_text())["rows"]
    assert row["precision"] is None and row["mse"] >= 0
    shown = json.loads((tmp_path / "run" / "picture.json").read_text())["samples"]
    assert [sample["words"] for sample in shown] == [["good", "soup"]] * 2
    assert all(sample["truth"] == [0, 0] for sample in shown)
    other = run("reviews", *arguments[:-1], "aroma")
    assert other.returncode == 2 and "reviews.aspect1.train.txt" in other.stderr
    for part in words:
        (tmp_path / f"reviews.aspect1.{part}.txt").write_text("0.25\tsoup\n")
    assert "rating number 2" in run("reviews", *arguments[:-1], "aroma").stderr


def test_word_vectors_of_lei_et_al_are_used(tmp_path):
    arguments = write_lei(tmp_path)
    tiny = ("--preset", "test", *arguments, "--rows", "gibbs", "--no-report", "--jobs", 1,
            "--threads", 1)  # fmt: skip
    vectors = tmp_path / "review+wiki.filtered.200.txt"
    vectors.write_text("malt 0.5 -1 2\nnose 1 1 1\n")
    done = run(*tiny, "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    best = (tmp_path / "run" / "gibbs-k3-seed1" / "best.safetensors").read_bytes()
    header = json.loads(best[8 : 8 + int.from_bytes(best[:8], "little")])
    assert "embedding" not in header and header["encoder.first.weight"]["shape"] == [8, 3]
    vectors.write_text("malt 0.5 -1 2\nnose 1 1\n")
    assert "line 2" in run(*tiny, "--out", tmp_path / "other").stderr


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("reviews.aspect1.train.txt", "0.1 0.9 words without a tab\n", "line 1: expected ratings"),
        ("reviews.aspect1.train.txt", "0 7 0 0 0\tsweet\n", "[0, 1]"),
        ("annotations.json", '{"x": ["a"], "y": [0.1, 0.2]}\n', "line 1"),
    ],
)
def test_damaged_files_are_named(tmp_path, name, content, message):
    arguments = write_lei(tmp_path)
    (tmp_path / name).write_text(content)
    done = run("reviews", *arguments)
    assert done.returncode == 2 and name in done.stderr and message in done.stderr


def test_packed_and_missing_files_are_named(tmp_path):
    arguments = write_lei(tmp_path)
    train = tmp_path / "reviews.aspect1.train.txt"
    train.rename(f"{train}.gz")
    assert "unpack" in run("reviews", *arguments).stderr
    assert "no such file" in run("reviews", "--corpus", "imdb", "--files", tmp_path).stderr


def cebab_text(words, food, number, kind=None):
    return {"original_id": number, "is_original": kind is None, "description": words,
            "edit_type": kind, "edit_goal": kind and "unknown",
            "food_aspect_majority": max(food, key=food.get) if food else "",
            "food_aspect_label_distribution": food or ""}  # fmt: skip


def write_cebab(folder):
    texts = [
        cebab_text("The pasta was great! Nice view.", {"Positive": 3, "unknown": 1}, "1"),
        cebab_text("Nice view.", {"unknown": 4}, "1", "food"),
        cebab_text("The pasta was there! Nice view.", {"unknown": 4}, "1", "food"),
        cebab_text("The pasta was odd! Nice view.", {"Negative": 4}, "1", "food"),
        cebab_text("Loud", {"Negative": 1}, "2"),
        cebab_text("Quiet place here", {"unknown": 4}, "2", "food"),  # changes everything
        cebab_text("No label.", None, "3"),
    ]
    for name in ("train_inclusive", "dev", "test"):
        (folder / f"{name}.json").write_text(json.dumps(texts))
    return ("--corpus", "cebab", "--files", folder, "--aspect", "food")


def test_the_format_of_cebab(tmp_path):
    parts = reviews(*write_cebab(tmp_path))
    assert len(parts["train"]) == 6 and parts["train"][0]["rating"] == (3 + 0.5) / 4
    (annotated,) = parts["annotated"]
    assert annotated["words"] == ["the", "pasta", "was", "great", "!", "nice", "view", "."]
    assert annotated["truth"] == [0, 0, 0, 1, 0, 0, 0, 0]  # of two edits the one that changes least


def test_the_format_of_imdb_pairs(tmp_path):
    for name in ("train", "dev", "test"):
        (tmp_path / f"{name}_paired.tsv").write_text(
            "Sentiment\tText\tbatch_id\n"
            'Negative\t"A ""bad"" film.<br /><br />Avoid."\t4\nPositive\tA good film. See it.\t4\n'
        )
    parts = reviews("--corpus", "imdb", "--files", tmp_path)
    bad, good = parts["annotated"]
    assert bad["words"] == ["a", '"', "bad", '"', "film", ".", "avoid", "."]
    assert bad["truth"] == [0, 1, 1, 1, 0, 0, 1, 0] and bad["rating"] == 0
    assert good["truth"] == [0, 1, 0, 0, 1, 1, 0] and good["rating"] == 1
    (tmp_path / "dev_paired.tsv").write_text("Sentiment\tText\tbatch_id\nPositive\tAlone.\t4\n")
    assert "partner" in run("reviews", "--corpus", "imdb", "--files", tmp_path).stderr


# The published files, where they are at hand: a folder with cebab/ and imdb_counterfactual/.
DATA = Path(os.environ.get("SOFTTRICKS_REVIEWS", ROOT.parent / "shared" / "data"))
needs_data = pytest.mark.skipif(
    not (DATA / "cebab").is_dir(), reason=f"no published reviews in {DATA}; see SOFTTRICKS_REVIEWS"
)


def true_share(annotated):
    return statistics.mean(statistics.mean(review["truth"]) for review in annotated)


@needs_data
def test_published_cebab(tmp_path):
    with zipfile.ZipFile(DATA / "cebab" / "CEBaB-v1.1.zip") as archive:
        for name in ("train_inclusive", "dev", "test"):
            (tmp_path / f"{name}.json").write_bytes(archive.read(f"CEBaB-v1.1/{name}.json"))
    parts = reviews("--corpus", "cebab", "--files", tmp_path, "--aspect", "food")
    assert 10000 < len(parts["train"]) <= 11728 and 100 < len(parts["annotated"])
    assert statistics.median(len(review["words"]) for review in parts["train"]) in range(22, 27)
    assert 0.25 < true_share(parts["annotated"]) < 0.40


@needs_data
def test_published_imdb_pairs():
    parts = reviews("--corpus", "imdb", "--files", DATA / "imdb_counterfactual")
    counts = [len(parts[part]) for part in ("train", "validation", "test")]
    assert counts == [2 * 1707, 2 * 245, 2 * 488]
    assert true_share(parts["annotated"]) == pytest.approx(0.106, abs=0.015)
