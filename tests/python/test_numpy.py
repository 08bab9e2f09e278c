"""softtricks on NumPy arrays: values against enumeration, derivatives against differences, layouts,
threads, and what bad input says."""

import pickle
import re
import threading
import time

import numpy
import pytest
import softtricks
from cli_program import Gibbs, members, some
from numpy.testing import assert_allclose, assert_array_equal
from softtricks._numpy import front

SHAPES = [
    ("one_hot", {"categories": 4}),
    ("bit_vector", {"bits": 3}),
    ("k_subset", {"items": 5, "k": 2}),
    ("spanning_tree", {"nodes": 4}),
    ("arborescence", {"nodes": 3}),
    ("matching", {"pairs": 3}),
]
CLASSES = {cls.name: cls for cls in softtricks.structures.values()}
on_small_sets = pytest.mark.parametrize("name, shape", SHAPES, ids=[name for name, _ in SHAPES])
on_each_law = pytest.mark.parametrize("law", softtricks.perturbations)


def utilities(structure, *leading, seed=0, dtype=numpy.float64):
    return numpy.random.default_rng(seed).normal(size=(*leading, structure.size)).astype(dtype)


def differences(function, argument, cotangent, step=1e-5):
    """The gradient of sum(cotangent * function(argument)), entry by entry, of one instance."""
    gradient = numpy.zeros_like(argument)
    for i in range(argument.size):
        ends = []
        for sign in (1, -1):
            moved = argument.copy()
            moved.flat[i] += sign * step
            ends.append((cotangent * function(moved)).sum())
        gradient.flat[i] = (ends[0] - ends[1]) / (2 * step)
    return gradient


# ---- values -------------------------------------------------------------------------------------


@on_small_sets
def test_gibbs_law_equals_its_enumeration(name, shape):
    s = CLASSES[name](**shape)
    utility, other, cotangent = (utilities(s, 2, 3, seed=seed) for seed in range(3))
    for i in numpy.ndindex(2, 3):
        exact, second = Gibbs(name, shape, utility[i]), Gibbs(name, shape, other[i])
        close = lambda got, expected: assert_allclose(got[i], expected, rtol=1e-10, atol=1e-12)  # noqa: E731
        close(s.argmax(utility), exact.argmax)
        close(s.log_partition(utility), exact.log_partition)
        close(s.marginals(utility), exact.marginals)
        close(s.entropy(utility), exact.entropy)
        close(s.marginals_vjp(utility, cotangent), exact.marginals_vjp(cotangent[i]))
        close(s.log_prob(utility, exact.argmax), numpy.log(exact.probability.max()))
        cross = -exact.probability @ numpy.log(second.probability)
        close(s.cross_entropy(utility, other), cross)
        close(s.kl(utility, other), cross - exact.entropy)
        close(s.relax(utility, 0.5), Gibbs(name, shape, utility[i] / 0.5).marginals)


@on_small_sets
def test_draws_follow_the_law(name, shape):
    """Frequencies within 5 standard deviations of every member's chance, and nothing else drawn."""
    s, count = CLASSES[name](**shape), 20000
    exact = Gibbs(name, shape, utilities(s))
    draws = s.sample(numpy.broadcast_to(utilities(s), (count, s.size)), seed=7)
    seen = (draws[:, None] == exact.members).all(-1)
    assert (seen.sum(1) == 1).all()
    deviation = numpy.sqrt(exact.probability * (1 - exact.probability) / count) + 1e-12
    assert (abs(seen.mean(0) - exact.probability) < 5 * deviation).all()


@pytest.mark.parametrize("cls", softtricks.structures.values(), ids=lambda cls: cls.__name__)
def test_whatever_the_registry_names(cls):
    """Structures that no test here knows, too: derivatives agree with differences."""
    s = some(cls)
    utility, cotangent = utilities(s), utilities(s, seed=1)
    assert pickle.loads(pickle.dumps(s)) == s and getattr(softtricks, cls.__name__) is cls
    if "marginals_vjp" in s.verbs:
        expected = differences(s.marginals, utility, cotangent)
        assert_allclose(s.marginals_vjp(utility, cotangent), expected, rtol=1e-5, atol=1e-8)
        assert_allclose(differences(s.log_partition, utility, 1.0), s.marginals(utility), atol=1e-8)
    for regularizer in s.regularizers:
        soft = s.relax(utility, 2.0, regularizer)
        gradient = s.relax_vjp(utility, soft, cotangent, 2.0, regularizer)
        relax = lambda u: s.relax(u, 2.0, regularizer)  # noqa: B023, E731
        assert_allclose(gradient, differences(relax, utility, cotangent), rtol=1e-3, atol=1e-6)
        by_array = s.relax_vjp(utility, soft, cotangent, numpy.array([2.0]), regularizer)
        assert_allclose(by_array, gradient, rtol=1e-12, atol=1e-15)
    if "k_best" not in s.verbs:
        with pytest.raises(ValueError, match="does not offer k_best"):
            s.k_best(utility, 2)


def test_verbs_that_list_members():
    s = softtricks.LinearChain(length=2, states=2)
    utility = utilities(s, 3)
    best, value = s.k_best(utility, 5)
    assert best.shape == (3, 5, s.size) and value.shape == (3, 5)
    assert_allclose((best * utility[:, None]).sum(-1)[:, :4], value[:, :4])
    assert (numpy.diff(value[:, :4]) <= 0).all() and (value[:, 4] == -numpy.inf).all()
    assert_array_equal(best[:, 0], s.argmax(utility))
    s = softtricks.KSubset(items=4, k=2)
    utility = utilities(s, 3)
    chosen, weight = s.active_set(utility, 2.0, s.size + 1)
    soft = s.relax(utility, 2.0, "squared_norm")
    assert_allclose((weight[..., None] * chosen).sum(-2), soft, atol=1e-10)


def test_lengths_and_counts():
    s, utility = softtricks.OneHot(categories=5), numpy.zeros((3, 5))
    assert_array_equal(s.marginals(utility, lengths=[1, 2, 4]).argmin(-1), [1, 2, 4])
    assert_allclose(s.log_partition(utility, lengths=2), numpy.full(3, numpy.log(2)))
    s = softtricks.KSubset(items=5, k=4)
    draws = s.sample(utility, seed=0, counts=numpy.array([1, 4, 2], numpy.uint8))
    assert_array_equal(draws.sum(-1), [1, 4, 2])


def test_bad_instances_are_nan_in_their_own_row():
    s, utility = softtricks.SpanningTree(nodes=4), numpy.zeros((4, 6))
    utility[1, 2], utility[2] = numpy.nan, -numpy.inf
    assert_array_equal(numpy.isnan(s.marginals(utility)).all(-1), [False, True, True, False])
    assert_array_equal(s.log_partition(utility)[2], -numpy.inf)
    assert_allclose(s.marginals(utility)[[0, 3]], 0.5)


# ---- perturbations ------------------------------------------------------------------------------


@on_each_law
def test_perturbations(law):
    theta = numpy.random.default_rng(3).normal(size=(2, 4)) / 4
    utility = softtricks.perturb(law, theta, seed=5)
    noise = softtricks.noise(law, theta, seed=5)
    assert_array_equal(softtricks.transform(law, theta, noise), utility)
    assert_array_equal(softtricks.perturb(law, theta[1:], seed=5, offset=1), utility[1:])
    cotangent = numpy.arange(1.0, 9).reshape(2, 4)
    by_theta = lambda t: softtricks.transform(law, t, noise)  # noqa: E731
    expected = differences(by_theta, theta, cotangent)
    got = softtricks.transform_vjp(law, theta, noise, cotangent)
    assert_allclose(got[0], expected, rtol=1e-5)
    assert_allclose(softtricks.perturb_vjp(law, theta, utility, cotangent), got[0], rtol=1e-9)
    verbs = {info["name"]: info["verbs"] for info in front.registry["perturbations"]}[law]
    for verb, second in (("log_prob", utility), ("kl", theta + 0.1)):
        function = getattr(softtricks, f"perturbation_{verb}")
        if verb not in verbs:
            with pytest.raises(ValueError, match=law):
                function(law, theta, second)
            continue
        pair = getattr(softtricks, f"perturbation_{verb}_vjp")(law, theta, second, cotangent)
        expected = differences(lambda t: function(law, t, second), theta, cotangent)  # noqa: B023
        assert_allclose(pair[0], expected, rtol=1e-5, atol=1e-8)
        expected = differences(lambda v: function(law, theta, v), second, cotangent)  # noqa: B023
        assert_allclose(pair[1], expected, rtol=1e-5, atol=1e-8)


def test_parameters_of_a_law_and_its_scale():
    draws = softtricks.perturb("normal", numpy.zeros(40000), seed=1, scale=2.0)
    assert abs(draws.std() - 2) < 5 * 2 / numpy.sqrt(2 * 40000)
    with pytest.raises(TypeError, match="scales.*normal.*scale"):
        softtricks.perturb("normal", numpy.zeros(4), seed=1, scales=2.0)


def test_a_generator_is_a_source_of_seeds():
    s, utility = softtricks.BitVector(bits=64), numpy.zeros((2, 64))
    generator = numpy.random.default_rng(0)
    first, second = (s.sample(utility, seed=generator) for _ in range(2))
    assert (first != second).any()
    assert_array_equal(first, s.sample(utility, seed=numpy.random.default_rng(0)))
    assert_array_equal(s.sample(utility, seed=3), s.sample(utility, seed=numpy.int32(3)))


# ---- arrays -------------------------------------------------------------------------------------


@on_small_sets
def test_layout_and_batch_make_no_difference(name, shape):
    s = CLASSES[name](**shape)
    utility = utilities(s, 2, 3, 4)
    expected = s.marginals(utility)
    wide = numpy.zeros((4, 2 * s.size, 3, 2))[:, ::2].transpose(3, 2, 0, 1)
    wide[...] = utility
    assert not wide.flags.c_contiguous
    assert_array_equal(s.marginals(wide), expected)
    assert_array_equal(s.marginals(utility[::-1, ..., ::-1][::-1, ..., ::-1]), expected)
    assert_array_equal(s.marginals(utility.reshape(-1, s.size)).reshape(utility.shape), expected)
    assert_array_equal(s.marginals(utility[1, 2, 3]), expected[1, 2, 3])
    raw = numpy.zeros(utility.nbytes + 1, numpy.uint8)[1:].view(numpy.float64)
    raw[...] = utility.ravel()
    assert not raw.flags.aligned
    assert_array_equal(s.marginals(raw.reshape(utility.shape)), expected)
    utility.flags.writeable = False
    assert_array_equal(s.marginals(utility), expected)
    assert s.marginals(utility[:0]).shape == (0, 3, 4, s.size)
    assert s.log_partition(utility[0, 0, 0]).shape == ()


@on_small_sets
def test_float32_stays_float32(name, shape):
    s = CLASSES[name](**shape)
    utility = utilities(s, 7, dtype=numpy.float32)
    for verb in (s.argmax, s.marginals, s.log_partition, s.entropy):
        got = verb(utility)
        assert got.dtype == numpy.float32
        assert_allclose(got, verb(utility.astype(numpy.float64)), rtol=1e-4, atol=1e-5)


class Lender:
    """An array that offers nothing but DLPack."""

    def __init__(self, array):
        self.array = array

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


def test_dlpack_in_and_out():
    s = softtricks.SpanningTree(nodes=4)
    utility = utilities(s, 5)
    expected = s.marginals(utility)
    assert_array_equal(s.marginals(Lender(utility)), expected)
    assert_array_equal(s.marginals(Lender(utility.T.copy().T)), expected)
    assert_array_equal(numpy.from_dlpack(s.log_partition(Lender(utility))), s.log_partition(utility))
    assert_array_equal(s.marginals(utility.tolist()), expected)
    assert_array_equal(s.kl(utility, Lender(utility)), numpy.zeros(5))


def test_tensors_of_pytorch_are_arrays_too():
    torch = pytest.importorskip("torch")
    s = softtricks.SpanningTree(nodes=4)
    utility = utilities(s, 5)
    assert_array_equal(s.marginals(torch.tensor(utility)), s.marginals(utility))
    assert torch.from_dlpack(s.argmax(torch.zeros(2, 6))).sum() == 6
    with pytest.raises(ValueError, match="utility: can't be read.*grad"):
        s.marginals(torch.zeros(6, requires_grad=True))


# ---- threads ------------------------------------------------------------------------------------


def test_other_threads_run_during_a_call():
    """A thread that counts goes on counting while another one is inside a call of some seconds."""
    s = softtricks.SpanningTree(nodes=80)
    utility = numpy.zeros((3000, s.size))
    counted, stop = [0], threading.Event()

    def count():
        while not stop.is_set():
            counted[0] += 1
            time.sleep(0.001)

    counter = threading.Thread(target=count)
    counter.start()
    try:
        before, started = counted[0], time.monotonic()
        s.marginals_vjp(utility, utility)
        seconds, during = time.monotonic() - started, counted[0] - before
    finally:
        stop.set()
        counter.join()
    assert during >= 3, f"counted {during} in a call of {seconds:.3f} s"


def test_threads_make_no_difference():
    s = softtricks.SpanningTree(nodes=12)
    utility, before = utilities(s, 3000), softtricks.get_num_threads()
    results = []
    try:
        for threads in (1, 3):
            softtricks.set_num_threads(threads)
            assert softtricks.get_num_threads() == threads
            results.append((s.marginals(utility), s.sample(utility, seed=1)))
    finally:
        softtricks.set_num_threads(before)
    assert_array_equal(results[0], results[1])
    callers = [threading.Thread(target=s.marginals, args=(utility,)) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(60)
        assert not caller.is_alive()


# ---- bad input ----------------------------------------------------------------------------------

TREE, U = softtricks.SpanningTree(nodes=4), numpy.zeros((2, 6))
BAD = {
    "size": (lambda: TREE.marginals(U[:, :5]), ValueError, r"utility.*6\].*\[2, 5\]"),
    "type": (lambda: TREE.marginals(U.astype(int)), ValueError, "utility.*float32.*int64"),
    "half": (lambda: TREE.marginals(U.astype("f2")), ValueError, "utility.*float16"),
    "order": (lambda: TREE.marginals(U.astype(">f8")), ValueError, "utility.*>f8"),
    "none": (lambda: TREE.marginals(None), TypeError, "utility.*NoneType"),
    "ragged": (lambda: TREE.marginals([[1.0], [1.0, 2.0]]), ValueError, "utility.*inhomogeneous"),
    "words": (lambda: TREE.log_prob(U, numpy.array(["a"] * 6)), ValueError, "x: expected numbers"),
    "other": (lambda: TREE.kl(U, numpy.zeros((3, 6))), ValueError, r"other.*\[2, 6\].*\[3, 6\]"),
    "temperature": (lambda: TREE.relax(U, 0.0), ValueError, "temperature must be positive"),
    "hot": (lambda: TREE.relax(U, numpy.array([1.0, 0.0])), ValueError, "temperature.*> 0"),
    "cold": (lambda: TREE.relax(U, "1"), TypeError, "temperature.*number.*'1'"),
    "regularizer": (lambda: TREE.relax(U, 1.0, "norm"), ValueError, "norm.*squared_norm"),
    "lengths": (lambda: TREE.argmax(U, lengths=[1, 2, 3]), ValueError, r"lengths.*\[2\].*\[3\]"),
    "length": (lambda: TREE.argmax(U, lengths=5), ValueError, "lengths.*4.*5"),
    "lengths of": (lambda: TREE.argmax(U, lengths=[1.5, 2]), ValueError, "lengths.*integers"),
    "seed": (lambda: TREE.sample(U, seed=0.5), TypeError, "seed.*integer.*0.5"),
    "large seed": (lambda: TREE.sample(U, seed=2**63), ValueError, "seed.*64 bits"),
    "count": (lambda: softtricks.LinearChain(2, 2).k_best(numpy.zeros(8), 0), ValueError, "count.*0"),
    "shape": (lambda: softtricks.KSubset(3, 9), ValueError, r"k must be.*3.*9"),
    "field": (lambda: softtricks.SpanningTree(nodes=2.5), TypeError, "nodes.*2.5"),
    "law": (lambda: softtricks.perturb("gumble", U, seed=1), ValueError, "gumble.*gumbel"),
    "noise": (lambda: softtricks.transform("gumbel", U, U.astype("f4")), ValueError, "noise.*float64"),
    "threads": (lambda: softtricks.set_num_threads(0), ValueError, "count.*0"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_in_words(name):
    call, kind, words = BAD[name]
    with pytest.raises(kind) as refusal:
        call()
    assert re.search(words, str(refusal.value)), str(refusal.value)


def test_enumeration_agrees_on_sizes():
    """The brute force itself: Cayley's formula and binomials."""
    sizes = {name: len(members(name, shape)) for name, shape in SHAPES}
    assert sizes["spanning_tree"] == 4**2 and sizes["k_subset"] == 10 and sizes["matching"] == 6
