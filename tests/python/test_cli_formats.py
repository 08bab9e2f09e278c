"""What the command line reads and writes: .npy, tables, JSON; files and pipes."""

import io
import json
import os

import numpy
import pytest
from cli_program import call, npy, output, solve, table

UTILITY = numpy.random.default_rng(5).normal(size=(2, 3, 6))



WANTED = solve("solve", "marginals", "spanning_tree", utility=UTILITY)


def npy_of_version(version):
    file = io.BytesIO()
    numpy.lib.format.write_array(file, UTILITY, version=version)
    return file.getvalue()


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_npy_versions(version):
    stdin = npy_of_version(version)
    result = output("solve", "marginals", "spanning_tree", "--format=npy", stdin=stdin)
    assert (numpy.load(io.BytesIO(result)) == WANTED).all()


def test_fortran_order():
    result = solve("solve", "marginals", "spanning_tree", utility=numpy.asfortranarray(UTILITY))
    assert (result == WANTED).all()


def test_fortran_order_of_one_dimension_and_of_nothing():
    column = numpy.asfortranarray(numpy.arange(3.0))
    assert (solve("solve", "argmax", "one_hot", utility=column) == [0, 0, 1]).all()
    nothing = numpy.asfortranarray(numpy.zeros((0, 3)))
    assert solve("solve", "argmax", "one_hot", utility=nothing).shape == (0, 3)


@pytest.mark.parametrize("array", [UTILITY, UTILITY[0, 0], UTILITY.astype("f4"), UTILITY[:0]])
def test_npy_is_what_numpy_would_write(array):
    result = output("relax", "bit_vector", "--format=npy", stdin=npy(array))
    loaded = numpy.load(io.BytesIO(result))
    assert loaded.shape == array.shape and loaded.dtype == array.dtype
    assert loaded.flags.c_contiguous and result.index(b"\n") % 64 == 63


@pytest.mark.parametrize("text", [
    "1,2,3\n6,5,4\n", "1\t2\t3\n6\t5\t4\n", "1;2;3\n6;5;4", "1 2 3\n6 5 4\n",
    "  1   2 3  \n6 5\t4 \n", "1, 2, 3\r\n6, 5, 4\r\n", "\ufeff1,2,3\n6,5,4\n",
    "# by hand\n\n1,2,3\n\n6,5,4\n\n", "1e0,+2,3.0\n6,5,.4e1"])
def test_tables(text):
    assert table("solve", "argmax", "one_hot", stdin=text) == [[0, 0, 1], [1, 0, 0]]


def test_infinities_in_a_table():
    assert table("solve", "marginals", "one_hot", stdin="-inf,0,-Infinity\n") == [[0, 1, 0]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("written, separator", [("tsv", "\t"), ("csv", ",")])
def test_text_round_trips(dtype, written, separator):
    utility = UTILITY.reshape(6, 6).astype(dtype)
    exact = solve("solve", "marginals", "spanning_tree", utility=utility)
    text = output("solve", "marginals", "spanning_tree", "--format", written, stdin=npy(utility))
    read = numpy.array([line.split(separator) for line in text.decode().splitlines()], dtype=dtype)
    assert (read == exact).all()


def test_results_are_input_again():
    once = output("relax", "one_hot", stdin="1 2 3\n")
    assert output("solve", "argmax", "one_hot", stdin=once) == b"0\t0\t1\n"


def test_one_number_a_line_where_the_verb_is_a_scalar():
    assert len(table("solve", "entropy", "one_hot", stdin="1 2\n3 4\n5 6\n")) == 3


def test_json():
    text = output("solve", "marginals", "spanning_tree", "--json", stdin=npy(UTILITY))
    document = json.loads(text)
    assert list(document) == ["structure", "shape", "verb", "result"]
    assert document["structure"] == "spanning_tree" and document["verb"] == "marginals"
    assert document["shape"] == {"nodes": 4}
    assert (numpy.array(document["result"]) == WANTED).all()


def test_json_of_float32_is_short():
    text = output("solve", "marginals", "one_hot", "--json", "--dtype=float32", stdin="0 0 0\n")
    assert json.loads(text)["result"] == [[0.33333334] * 3]


def test_json_stays_valid_without_finite_numbers():
    def refuse(word):
        raise AssertionError(word)

    done = call("solve", "log_partition", "one_hot", "--json", stdin="nan,1\n-inf,-inf\ninf,0\n")
    result = json.loads(done.stdout, parse_constant=refuse)["result"]
    assert result[:2] == ["nan", "-inf"]


@pytest.mark.parametrize("ending", ["npy", "csv", "tsv", "json"])
def test_output_file_by_its_ending(tmp_path, ending):
    path = tmp_path / f"result.{ending}"
    stdin = npy(UTILITY)
    arguments = ("solve", "marginals", "spanning_tree")
    assert output(*arguments, "--output", path, stdin=stdin) == b""
    assert path.read_bytes() == output(*arguments, "--format", ending, stdin=stdin)
    assert list(tmp_path.iterdir()) == [path]


def test_output_replaces_what_a_link_points_to(tmp_path):
    (tmp_path / "real.tsv").write_text("old")
    (tmp_path / "link.tsv").symlink_to("real.tsv")
    output("solve", "argmax", "one_hot", "--output", tmp_path / "link.tsv", stdin="1 2\n")
    assert (tmp_path / "link.tsv").is_symlink()
    assert (tmp_path / "real.tsv").read_text() == "0\t1\n"


def test_output_may_be_the_input(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("1,2\n")
    output("solve", "argmax", "one_hot", path, "--output", path)
    assert path.read_text() == "0,1\n"


def test_named_file_dash_and_nothing_are_the_same(tmp_path):
    (tmp_path / "u.tsv").write_text("4\t1\n")
    arguments = ("solve", "argmax", "one_hot")
    assert (output(*arguments, tmp_path / "u.tsv") == output(*arguments, stdin="4\t1\n")
            == output(*arguments, "-", stdin="4\t1\n") == b"1\t0\n")


def test_a_companion_may_come_through_the_pipe(tmp_path):
    numpy.save(tmp_path / "u.npy", UTILITY)
    ones = npy(numpy.ones_like(UTILITY))
    zero = output("solve", "marginals_vjp", "spanning_tree", tmp_path / "u.npy", "--cotangent", "-",
                  "--format=npy", stdin=ones)
    # Every tree has the same number of edges, so the same utility on all of them changes nothing.
    assert numpy.load(io.BytesIO(zero)) == pytest.approx(0, abs=1e-12)


def test_a_named_pipe(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with open(os.open(pipe, os.O_RDWR), "rb") as reading:
        output("solve", "argmax", "one_hot", "--output", pipe, stdin="1 2\n")
        assert reading.read1(100) == b"0\t1\n"
    assert not pipe.is_file()
