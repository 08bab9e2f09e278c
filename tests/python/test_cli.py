"""The command line's results, against brute force over all members of small sets."""

import json

import numpy
import pytest
from cli_program import Gibbs, call, members, npy, offers, output, solve, table

SHAPES = {"one_hot": {"categories": 4}, "bit_vector": {"bits": 4},
          "k_subset": {"items": 5, "k": 2}, "spanning_tree": {"nodes": 4},
          "arborescence": {"nodes": 3}, "matching": {"pairs": 3}}
SIZES = {"one_hot": 4, "bit_vector": 4, "k_subset": 5, "spanning_tree": 6, "arborescence": 9,
         "matching": 9}
TOLERANCE = {numpy.float32: 2e-5, numpy.float64: 1e-12}


def shape_option(structure):
    shape = SHAPES[structure]
    return "--shape=" + ",".join(f"{field}={value}" for field, value in shape.items())


def utilities(structure, *leading, seed=0, dtype=numpy.float64):
    return numpy.random.default_rng(seed).normal(size=(*leading, SIZES[structure])).astype(dtype)


def brute_force(structure, utility, verb, **arguments):
    """The verb of every instance: an attribute of Gibbs, or a method where it has arguments."""
    rows = []
    for i, row in enumerate(utility.reshape(-1, utility.shape[-1])):
        value = getattr(Gibbs(structure, SHAPES[structure], row), verb)
        rows.append(value(*(a.reshape(utility.shape)[i] for a in arguments.values()))
                    if arguments else value)
    rows = numpy.array(rows)
    return rows.reshape(*utility.shape[:-1], *rows.shape[1:])


def test_the_example_of_the_help():
    assert table("solve", "marginals", "spanning_tree", "--nodes", "3", stdin="3 1 2\n") == [
        pytest.approx(brute_force_of_triangle([3, 1, 2]))]


def brute_force_of_triangle(utility):
    """A tree on 3 nodes leaves one edge out."""
    trees = numpy.exp([utility[1] + utility[2], utility[0] + utility[2], utility[0] + utility[1]])
    return 1 - trees / trees.sum()


def test_argmax_of_one_hot():
    assert table("solve", "argmax", "one_hot", stdin="3,1,7\n8,1,7\n") == [[0, 0, 1], [1, 0, 0]]


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("verb", ["argmax", "log_partition", "marginals", "entropy"])
@pytest.mark.parametrize("structure", SHAPES)
def test_verb_of_utilities(structure, verb, dtype):
    utility = utilities(structure, 3, dtype=dtype)
    result = solve("solve", verb, structure, shape_option(structure), utility=utility)
    assert result.dtype == dtype
    assert result == pytest.approx(brute_force(structure, utility, verb), abs=TOLERANCE[dtype])


@pytest.mark.parametrize("structure", SHAPES)
def test_relax_is_marginals_at_a_temperature(structure):
    utility = utilities(structure, 3)
    result = solve("relax", structure, shape_option(structure), "--temperature", "0.5",
                   utility=utility)
    assert result == pytest.approx(brute_force(structure, utility / 0.5, "marginals"), abs=1e-12)


@pytest.mark.parametrize("structure", SHAPES)
def test_marginals_vjp(structure, tmp_path):
    utility, cotangent = utilities(structure, 3), utilities(structure, 3, seed=1)
    numpy.save(tmp_path / "cotangent.npy", cotangent)
    result = solve("solve", "marginals_vjp", structure, shape_option(structure), "--cotangent",
                   tmp_path / "cotangent.npy", utility=utility)
    wanted = brute_force(structure, utility, "marginals_vjp", cotangent=cotangent)
    assert result == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("structure", SHAPES)
def test_relax_vjp_finds_its_own_soft_sample(structure, tmp_path):
    utility, cotangent = utilities(structure, 3), utilities(structure, 3, seed=1)
    (tmp_path / "cotangent.csv").write_text("\n".join(
        ",".join(map(repr, map(float, row))) for row in cotangent))
    result = solve("solve", "relax_vjp", structure, shape_option(structure), "--temperature=0.5",
                   "--cotangent", tmp_path / "cotangent.csv", utility=utility)
    wanted = brute_force(structure, utility / 0.5, "marginals_vjp", cotangent=cotangent) / 0.5
    assert result == pytest.approx(wanted, abs=1e-11)


@pytest.mark.parametrize("structure", SHAPES)
def test_log_prob_of_every_member(structure, tmp_path):
    every = members(structure, SHAPES[structure])
    utility = utilities(structure)
    numpy.save(tmp_path / "member.npy", every)
    result = solve("solve", "log_prob", structure, shape_option(structure), "--member",
                   tmp_path / "member.npy", utility=numpy.tile(utility, (len(every), 1)))
    wanted = numpy.log(Gibbs(structure, SHAPES[structure], utility).probability)
    assert result == pytest.approx(wanted, abs=1e-12)


def test_one_member_for_all_instances(tmp_path):
    (tmp_path / "member.csv").write_text("0,1\n")
    result = solve("solve", "log_prob", "one_hot", "--member", tmp_path / "member.csv",
                   utility=numpy.zeros((2, 3, 2)))
    assert result == pytest.approx(numpy.full((2, 3), -numpy.log(2)))


@pytest.mark.parametrize("structure", SHAPES)
def test_exact_samples_follow_the_gibbs_distribution(structure):
    utility, count = utilities(structure), 20000
    draws = solve("sample", structure, shape_option(structure), "--seed", 7, "--count", count,
                  utility=utility)
    assert draws.shape == (count, SIZES[structure])
    exact = Gibbs(structure, SHAPES[structure], utility)
    seen = numpy.array([(draws == x).all(axis=1).sum() for x in exact.members])
    assert seen.sum() == count  # every draw is a member
    expected = count * exact.probability
    chi_square = ((seen - expected) ** 2 / expected).sum()
    freedom = len(expected) - 1
    assert chi_square < freedom + 5 * (2 * freedom) ** 0.5 + 5


@pytest.mark.parametrize("structure", SHAPES)
def test_hard_and_soft_samples_share_their_noise(structure):
    utility = utilities(structure, 2)
    common = (structure, shape_option(structure), "--perturbation=gumbel", "--seed=3", "--count=50")
    hard = solve("sample", *common, utility=utility)
    soft = solve("relax", *common, "--temperature=1e-7", utility=utility)
    assert hard.shape == soft.shape == (50, 2, SIZES[structure])
    assert soft == pytest.approx(hard, abs=1e-3)
    assert len({row.tobytes() for row in hard[:, 0]}) > 1


def test_gumbel_argmax_draws_as_softmax_tells():
    utility = numpy.array([0.5, -1.0, 1.5])
    draws = solve("sample", "one_hot", "--perturbation", "gumbel", "--count", "40000",
                  utility=utility)
    wanted = numpy.exp(utility) / numpy.exp(utility).sum()
    assert draws.mean(axis=0) == pytest.approx(wanted, abs=0.012)


def test_parameters_of_a_perturbation():
    """Nearly no noise: the argmax is that of the input. Much of it: anything."""
    def draws(*parameters):
        return solve("sample", "one_hot", "--perturbation", "normal", "--count", "300",
                     *parameters, utility=numpy.array([0.0, 1.0])).mean(axis=0)[0]

    assert draws("--parameters", "scale=1e-6") == 0
    assert draws("--parameters", "scale=1e6") == pytest.approx(0.5, abs=0.15)
    assert draws() == draws("--parameters", "scale=1")
    both = ("--perturbation", "sum_of_gamma", "--parameters", "terms=3,k=2")
    assert solve("sample", "k_subset", "--k", "2", *both, utility=numpy.zeros(5)).sum() == 2


def test_draws_are_a_function_of_the_seed():
    def draw(seed, *more):
        return output("sample", "spanning_tree", "--count", "30", "--seed", seed, *more,
                      stdin="0 0 0 0 0 0\n")

    assert draw(1) == draw(1) == draw(1, "--threads", "2")
    assert draw(1) != draw(2)


def test_count_of_one_is_a_dimension():
    assert solve("sample", "one_hot", utility=numpy.zeros(3)).shape == (3,)
    assert solve("sample", "one_hot", "--count", "1", utility=numpy.zeros(3)).shape == (1, 3)


@pytest.mark.parametrize("structure", SHAPES)
def test_leading_dimensions_threads_and_types(structure):
    option = shape_option(structure)
    utility = utilities(structure, 40, 3, 2)
    marginals = solve("solve", "marginals", structure, option, "--threads=1", utility=utility)
    assert marginals.shape == utility.shape
    many = solve("solve", "marginals", structure, option, "--threads=2", utility=utility)
    assert (marginals == many).all()
    partition = solve("solve", "log_partition", structure, option, utility=utility)
    assert partition.shape == utility.shape[:-1]
    narrow = solve("solve", "marginals", structure, option, "--dtype=float32", utility=utility)
    assert narrow.dtype == numpy.float32
    assert narrow == pytest.approx(marginals, abs=1e-5)


def test_empty_batch():
    assert solve("solve", "argmax", "one_hot", utility=numpy.zeros((0, 5))).shape == (0, 5)
    assert solve("solve", "entropy", "one_hot", utility=numpy.zeros((2, 0, 5))).shape == (2, 0)


@pytest.mark.parametrize("structure, width, shape", [
    ("spanning_tree", 45, {"nodes": 10}), ("spanning_tree", 1, {"nodes": 2}),
    ("arborescence", 9, {"nodes": 3, "root": 0, "single_root": 0}),
    ("one_hot", 7, {"categories": 7}), ("k_subset", 6, {"items": 6, "k": 2})])
def test_shape_from_the_width(structure, width, shape):
    k = ("--k", shape["k"]) if "k" in shape else ()
    done = json.loads(output("solve", "argmax", structure, *k, "--json",
                             stdin="\t".join("1" * width)))
    assert done["shape"] == shape


def test_lengths(tmp_path):
    utility = utilities("spanning_tree", 2)  # edges 01 02 03 12 13 23
    listed = solve("solve", "marginals", "spanning_tree", "--lengths", "3,4", utility=utility)
    triangle = brute_force_of_triangle(utility[0, [0, 1, 3]])
    assert listed[0] == pytest.approx([triangle[0], triangle[1], 0, triangle[2], 0, 0])
    assert listed[1] == pytest.approx(Gibbs("spanning_tree", {"nodes": 4}, utility[1]).marginals)
    numpy.save(tmp_path / "lengths.npy", numpy.array([3, 4]))
    (tmp_path / "lengths.txt").write_text("3\n4\n")
    for name in ("lengths.npy", "lengths.txt"):
        read = solve("solve", "marginals", "spanning_tree", "--lengths", tmp_path / name,
                     utility=utility)
        assert (read == listed).all()


def test_lengths_go_with_every_draw():
    draws = solve("sample", "one_hot", "--lengths", "1,2", "--count", "20",
                  utility=numpy.zeros((2, 3)))
    assert (draws[:, 0] == [1, 0, 0]).all()
    assert (draws[:, 1, 2] == 0).all() and draws[:, 1, 1].any()


def test_counts():
    """k of the instances, for subsets that differ in it."""
    result = solve("solve", "argmax", "k_subset", "--k", "3", "--counts", "1,3",
                   utility=numpy.array([[1.0, 2, 0, 5], [1, 2, 0, 5]]))
    assert result.tolist() == [[0, 0, 0, 1], [1, 1, 0, 1]]


def test_two_laws(tmp_path):
    other = utilities("spanning_tree", 2, seed=8)
    numpy.save(tmp_path / "other.npy", other)
    utility = utilities("spanning_tree", 2)
    kl = solve("solve", "kl", "spanning_tree", "--other", tmp_path / "other.npy", utility=utility)
    for row, u, v in zip(kl, utility, other):
        p, q = (Gibbs("spanning_tree", {"nodes": 4}, x).probability for x in (u, v))
        assert row == pytest.approx((p * numpy.log(p / q)).sum())
    assert "--other" in call("solve", "kl", "one_hot", stdin=b"1 2\n").stderr.decode()


def test_members_come_behind_their_number():
    """A path over 2 x 2 vertices: straight across, or by one of two corners."""
    best = solve("solve", "k_best", "grid_path", "--rows", "2", "--columns", "2", "--count", "4",
                 utility=numpy.array([1.0, -1, 2, 1]))
    assert best.tolist() == [[4, 1, 0, 1, 1], [2, 1, 0, 0, 1], [1, 1, 1, 0, 1],
                             [-numpy.inf, 0, 0, 0, 0]]
    assert "--count" in call("solve", "k_best", "grid_path", stdin=b"1\n").stderr.decode()


def test_fields_with_defaults():
    """A free root: each node is the root of as many arborescences as the others."""
    for option in (["--root", "-1"], ["--shape", "root=-1"], ["--shape", "nodes=3,root=-1"]):
        result = solve("solve", "marginals", "arborescence", *option, utility=numpy.zeros(9))
        assert numpy.diag(result.reshape(3, 3)) == pytest.approx([1 / 3] * 3)


def test_utility_range_floors_utilities():
    result = solve("relax", "one_hot", "--utility-range", "2", utility=numpy.array([0.0, -9.0]))
    assert result == pytest.approx([1 / (1 + numpy.exp(-2)), 1 / (1 + numpy.exp(2))])


RELAXED = {"correlated_k_subset": ("items=5,k=2", 9), "arborescence": ("nodes=4", 16),
           "linear_chain": ("length=3,states=2", 14), "projective_tree": ("nodes=4", 16),
           "grid_path": ("rows=3,columns=4", 12),
           **{name: (shape_option(name).removeprefix("--shape="), SIZES[name]) for name in SHAPES}}


def test_every_offered_relaxation_stays_in_the_hull():
    relaxed = [s for s in offers()["structures"] if s["name"] in RELAXED and "relax" in s["verbs"]]
    assert len(relaxed) >= len(SHAPES)
    for structure in relaxed:
        shape, size = RELAXED[structure["name"]]
        utility = numpy.random.default_rng(0).normal(size=(2, size))
        for regularizer in structure["verbs"]["relax"]["regularizers"]:
            result = solve("relax", structure["name"], f"--shape={shape}",
                           "--regularizer", regularizer, utility=utility)
            assert (result >= 0).all() and (result <= 1).all(), regularizer


def test_nan_stays_in_its_row_and_is_counted():
    utility = numpy.array([[1.0, 2.0], [numpy.nan, 0.0], [-numpy.inf, -numpy.inf], [0.0, 1.0]])
    done = call("solve", "marginals", "one_hot", stdin=npy(utility))
    words = done.stderr.decode()
    assert done.returncode == 0
    assert words.startswith("softtricks: warning: ") and words.count("\n") == 1
    assert "2 of 4 instances" in words and "instance 1 " in words and "1 of them" in words
    rows = [line.split("\t") for line in done.stdout.decode().splitlines()]
    assert rows[1] == rows[2] == ["nan", "nan"]
    assert float(rows[0][0]) == pytest.approx(1 / (1 + numpy.e))
