"""Bad input to the command line: one clear line on stderr, and an exit code that tells whose fault
it is: 2 for arguments and data, 1 for the rest."""

import os
import resource
import signal
import stat
import subprocess

import numpy
import pytest
from cli_program import PROGRAM, call, complaint, npy

TREE = ("solve", "argmax", "spanning_tree")
TOP = ("solve", "argmax", "k_subset")

# arguments, standard input, what the line must tell
WRONG = {
    "wrong last dimension": ((*TREE, "--nodes", "4"), "1 2 3\n",
                             ["INPUT", "last dimension is 3", "nodes=4", "needs 6"]),
    "no shape of this width": (TREE, "1 2 3 4\n",
                               ["INPUT", "last dimension is 4", "nodes=3 needs 3",
                                "nodes=4 needs 6"]),
    "k > items": ((*TOP, "--k", "9"), "1 2 3\n", ["k_subset", "9", "3"]),
    "k > items, both given": ((*TOP, "--shape", "items=3,k=9"), "1 2 3\n", ["--shape", "9", "3"]),
    "k not given": (TOP, "1 2 3\n", ["--shape", "k_subset", "items", "k"]),
    "k can't be told": ((*TOP, "--items", "3"), "1 2 3\n", ["--k"]),
    "nodes < 2": ((*TREE, "--nodes", "1"), "1\n", ["nodes", "1", "2"]),
    "nodes < 0": ((*TREE, "--nodes", "-5"), "1\n", ["--nodes", "'-5'"]),
    "field of another structure": ((*TREE, "--items", "3"), "1 2 3\n",
                                   ["--items", "spanning_tree", "nodes"]),
    "field given twice": ((*TREE, "--nodes", "3", "--shape", "nodes=4"), "1 2 3\n", ["nodes", "3"]),
    "shape is no pair": ((*TREE, "--shape", "10"), "1\n", ["--shape", "'10'", "FIELD=INTEGER"]),
    "unknown field in the shape": ((*TREE, "--shape", "edges=3"), "1 2 3\n",
                                   ["edges", "spanning_tree", "nodes"]),
    "unknown structure": (("solve", "argmax", "spaning_tree"), "1\n",
                          ["STRUCTURE", "'spaning_tree'", "did you mean 'spanning_tree'?",
                           "one_hot"]),
    "unknown verb": (("solve", "argmin", "one_hot"), "1\n",
                     ["VERB", "'argmin'", "did you mean 'argmax'?", "marginals"]),
    "regularizer not offered": (("relax", "grid_path", "--regularizer", "binary_entropy"), "1\n",
                                ["--regularizer", "grid_path", "'binary_entropy'",
                                 "gibbs_entropy"]),
    "unknown regularizer": (("relax", "one_hot", "--regularizer", "entropy"), "1\n",
                            ["--regularizer", "'entropy'", "squared_norm"]),
    "unknown perturbation": (("sample", "one_hot", "--perturbation", "gumble"), "1\n",
                             ["--perturbation", "'gumble'", "did you mean 'gumbel'?", "normal"]),
    "unknown parameter": (("sample", "one_hot", "--perturbation", "normal", "--parameters",
                           "scael=2"), "1\n", ["--parameters", "'scael'", "'scale'"]),
    "parameter out of range": (("sample", "one_hot", "--perturbation", "normal", "--parameters",
                                "scale=-2"), "1\n", ["normal", "scale", "-2"]),
    "parameter without a number": (("sample", "one_hot", "--perturbation", "normal",
                                    "--parameters", "scale"), "1\n",
                                   ["--parameters", "'scale'", "NAME=NUMBER"]),
    "parameters of nothing": (("sample", "one_hot", "--parameters", "scale=2"), "1\n",
                              ["--parameters", "--perturbation"]),
    "temperature 0": (("relax", "one_hot", "--temperature", "0"), "1 2\n", ["temperature", "0"]),
    "temperature < 0": (("relax", "one_hot", "--temperature", "-1"), "1 2\n",
                        ["temperature", "-1"]),
    "temperature NaN": (("relax", "one_hot", "--temperature", "nan"), "1 2\n",
                        ["temperature", "nan"]),
    "temperature no number": (("relax", "one_hot", "--temperature", "hot"), "1 2\n",
                              ["--temperature", "'hot'", "number"]),
    "utility range < 0": (("relax", "one_hot", "--utility-range", "-1"), "1 2\n", ["range", "-1"]),
    "count 0": (("sample", "one_hot", "--count", "0"), "1 2\n", ["--count", "'0'", "1"]),
    "seed < 0": (("sample", "one_hot", "--seed", "-1"), "1 2\n", ["--seed", "'-1'"]),
    "seed for nothing random": (("relax", "one_hot", "--seed", "1"), "1 2\n",
                                ["--seed", "--perturbation"]),
    "threads 0": ((*TREE, "--threads", "0"), "1\n", ["--threads", "'0'", "1"]),
    "unknown type": ((*TREE, "--dtype", "int8"), "1\n", ["--dtype", "'int8'", "float32"]),
    "too large for the type": ((*TREE, "--dtype", "float32"), "1e300\n",
                               ["INPUT", "1e+300", "float32"]),
    "member without use": ((*TREE, "--member", "x"), "1\n", ["--member", "argmax"]),
    "member missing": (("solve", "log_prob", "one_hot"), "1\n", ["--member", "log_prob"]),
    "cotangent missing": (("solve", "marginals_vjp", "one_hot"), "1\n",
                          ["--cotangent", "marginals_vjp"]),
    "temperature without use": ((*TREE, "--temperature", "1"), "1\n",
                                ["--temperature", "argmax"]),
    "unknown option": ((*TREE, "--node", "2"), "1\n", ["--node"]),
    "lengths too few": ((*TREE, "--lengths", "2,2"), "1\n2\n3\n", ["--lengths", "2", "3"]),
    "length too large": ((*TREE, "--lengths", "3"), "1\n", ["lengths", "[1, 2]", "3"]),
    "length 0": ((*TREE, "--lengths", "0"), "1\n", ["lengths", "0"]),
    "pipe for two": (("solve", "log_prob", "one_hot", "--member", "-"), "1\n", ["'-'", "once"]),
    "ragged table": (TREE, "1,2,3\n1,2\n", ["INPUT", "line 2", "2 columns", "3"]),
    "cell is no number": (TREE, "# x\n1,2,3\n1,two,3\n", ["INPUT", "line 3", "column 2", "'two'"]),
    "cell is empty": (TREE, "1,,3\n", ["line 1", "column 2", "''"]),
    "cell is out of range": (TREE, "1e999\n", ["line 1", "column 1", "'1e999'"]),
    "cell has control characters": (TREE, "1,\x1b[2J\x07\n", ["column 2", "'?[2J?'"]),
    "nothing": (TREE, "", ["INPUT", "empty"]),
    "only comments": (TREE, "# nothing\n\n", ["INPUT", "no numbers"]),
    "unknown format": ((*TREE, "--format", "xml"), "1\n", ["--format", "'xml'", "json"]),
    "format and ending": ((*TREE, "--output", "x.npy", "--json"), "1\n",
                          ["--output", "'x.npy'", "json"]),
    "json and format": ((*TREE, "--format", "csv", "--json"), "1\n", ["--json", "csv"]),
    "no command": ((), "", ["COMMAND", "solve", "bench"]),
    "unknown command": (("slove",), "", ["COMMAND", "'slove'", "did you mean 'solve'?"]),
    "no verb": (("solve",), "", ["VERB"]),
    "too many words": ((*TREE, "-", "more"), "1\n", ["more"]),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input(case):
    arguments, stdin, words = WRONG[case]
    line = complaint(*arguments, stdin=stdin)
    for word in words:
        assert word in line


SOUND = npy(numpy.zeros((2, 3)))
BAD_NPY = {
    "integers": (npy(numpy.zeros((2, 3), int)), ["<i8", "float32", "astype"]),
    "half": (npy(numpy.zeros((2, 3), "f2")), ["<f2", "float32"]),
    "big-endian": (npy(numpy.zeros((2, 3), ">f4")), [">f4", "little-endian"]),
    "complex": (npy(numpy.zeros((2, 3), complex)), ["<c16"]),
    "structured": (npy(numpy.zeros(3, [("a", "f4")])), ["structured"]),
    "truncated data": (SOUND[:-8], ["[2, 3]", "6 x 8 bytes", "40"]),
    "data too long": (SOUND + b"\0", ["[2, 3]", "49"]),
    "truncated header": (SOUND[:40], ["header"]),
    "only the magic": (SOUND[:8], ["header"]),
    "unknown version": (SOUND[:6] + b"\x07" + SOUND[7:], ["version 7"]),
    "no shape": (SOUND.replace(b"'shape'", b"'shade'"), ["'shape'"]),
    "shape no tuple": (SOUND.replace(b"(2, 3)", b"[2, 3]"), ["shape"]),
    "negative shape": (SOUND.replace(b"(2, 3)", b"(-2,3)"), ["'-2'"]),
    "huge shape": (SOUND.replace(b"(2, 3), }" + b" " * 40,
                                 b"(9999999999, 9999999999), }" + b" " * 22), ["9999999999"]),
    "more than memory": (SOUND.replace(b"(2, 3), }" + b" " * 20,
                                       b"(2, 4611686018427387903), }" + b" " * 2), ["bytes"]),
    "no dimension": (npy(numpy.float64(1)), ["single number"]),
}


@pytest.mark.parametrize("case", BAD_NPY)
def test_bad_npy(case):
    stdin, words = BAD_NPY[case]
    assert stdin != SOUND
    line = complaint(*TREE, stdin=stdin)
    for word in ["INPUT", *words]:
        assert word in line


def test_npy_cut_anywhere_is_refused():
    for length in range(len(SOUND)):
        complaint(*TREE, stdin=SOUND[:length])


def test_npy_with_any_byte_of_its_header_changed_is_no_crash():
    for place in range(128):
        spoilt = bytearray(SOUND)
        spoilt[place] ^= 0x15
        assert call(*TREE, stdin=bytes(spoilt)).returncode in (0, 1, 2)


def test_a_file_named_npy_must_be_one(tmp_path):
    (tmp_path / "x.npy").write_text("1,2,3\n")
    assert "NUMPY" in complaint(*TREE, tmp_path / "x.npy")


def test_files_that_cannot_be_read(tmp_path):
    assert "No such file" in complaint(*TREE, tmp_path / "missing.npy")
    assert "directory" in complaint(*TREE, tmp_path)
    line = complaint("solve", "log_prob", "one_hot", "--member", tmp_path / "gone", stdin="1\n")
    assert "--member" in line and "gone" in line and "No such file" in line


def test_companion_of_another_shape(tmp_path):
    numpy.save(tmp_path / "member.npy", numpy.zeros((2, 2)))
    line = complaint("solve", "log_prob", "one_hot", "--member", tmp_path / "member.npy",
                     stdin=npy(numpy.zeros((2, 3))))
    assert "--member" in line and "[2, 2]" in line and "[2, 3]" in line


def test_lengths_that_are_no_integers(tmp_path):
    (tmp_path / "lengths").write_text("1.5\n")
    line = complaint(*TREE, "--lengths", tmp_path / "lengths", stdin="1\n")
    assert "--lengths" in line and "1.5" in line


def test_a_full_disk_is_told():
    line = complaint(*TREE, "--output", "/dev/full", stdin="1\n", code=1)
    assert "/dev/full" in line and "No space left" in line


def test_full_standard_output_is_told():
    with open("/dev/full", "wb") as full:
        done = subprocess.run([PROGRAM, *TREE], input=b"1\n", stdout=full, stderr=subprocess.PIPE,
                              timeout=60)
    assert done.returncode == 1 and b"No space left" in done.stderr


def test_a_folder_that_is_not_there(tmp_path):
    line = complaint(*TREE, "--output", tmp_path / "no" / "x.csv", stdin="1\n", code=1)
    assert "x.csv" in line and "No such file" in line


def test_a_failed_write_keeps_the_old_file(tmp_path):
    """A limit on the size of files stands for a full disk: SIGXFSZ is ignored, write() fails."""
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    path = tmp_path / "good.csv"
    path.write_text("precious")
    line = complaint(*TREE, "--output", path, stdin="1\n" * 1000, code=1, preexec_fn=limit)
    assert "good.csv" in line and "too large" in line
    assert path.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_folder(tmp_path):
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    line = complaint(*TREE, "--output", tmp_path / "x.csv", stdin="1\n", code=1)
    assert "Permission denied" in line
