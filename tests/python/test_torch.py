"""softtricks.torch: values against enumeration, batches, randomness, and what bad input says."""

import inspect
import itertools
import math
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import networkx
import pytest
import torch
from cli_program import some
from torch_support import CASES, LARGE, enumerate_gibbs, exclude_one, log_weights, st

on_all_cases = pytest.mark.parametrize("case", CASES, ids=repr)
on_each_structure = pytest.mark.parametrize("case", LARGE, ids=repr)


def close(actual, expected, tolerance=1e-12):
    torch.testing.assert_close(actual, expected, rtol=tolerance, atol=tolerance)


# ---- values -----------------------------------------------------------------------------------


@on_all_cases
def test_gibbs_law_equals_its_enumeration(case):
    s, utility = case.structure, case.utility(7)
    log_partition, marginals, entropy = enumerate_gibbs(case.members, utility)
    close(s.log_partition(utility), log_partition)
    close(s.marginals(utility), marginals)
    close(s.entropy(utility), entropy)
    close(s.relax(utility, 0.5), enumerate_gibbs(case.members, utility / 0.5)[1])


@on_all_cases
def test_float32_stays_float32(case):
    s, utility = case.structure, case.utility(7, dtype=torch.float32)
    marginals = s.marginals(utility)
    assert marginals.dtype == torch.float32
    close(marginals.double(), enumerate_gibbs(case.members, utility.double())[1], 1e-5)


@on_all_cases
def test_argmax_is_the_best_member(case):
    utility = case.utility(9)
    best = log_weights(case.members, utility).argmax(-1)
    close(case.structure.argmax(utility), case.members[best])


@on_all_cases
def test_log_prob_of_members_and_others(case):
    s, utility = case.structure, case.utility(1)
    expected = log_weights(case.members, utility).log_softmax(-1)[0]
    close(s.log_prob(utility, case.members), expected)
    close(s.log_prob(utility, case.members.bool()), expected)
    nothing = torch.full((s.size,), 0.5)
    assert s.log_prob(utility[0], nothing) == -math.inf


@on_all_cases
def test_an_excluded_entry_gets_exactly_nothing(case):
    s = case.structure
    utility, entry = exclude_one(case, case.utility(5))
    if entry is None:
        return
    log_partition, marginals, entropy = enumerate_gibbs(case.members, utility)
    close(s.log_partition(utility), log_partition)
    close(s.marginals(utility), marginals)
    close(s.entropy(utility), entropy)
    for result in (s.marginals(utility), s.argmax(utility), s.sample(utility, seed=1)):
        assert (result[:, entry] == 0).all()


@on_each_structure
def test_lengths(case):
    s, length = case.structure, 3
    members = case.shorter(length)
    utility = case.utility(6)
    _, marginals, _ = enumerate_gibbs(members, utility)
    behind = (members == 0).all(0)
    utility[:, behind] = torch.nan  # nobody may look there
    given = torch.full((6,), length)
    close(s.marginals(utility, lengths=given), marginals)
    close(s.marginals(utility, lengths=length), marginals)
    close(s.marginals(utility, lengths=[length] * 6), marginals)
    close(s.relax(utility, 1, lengths=given.int()), marginals)
    log_partition, _, entropy = enumerate_gibbs(members, utility.nan_to_num())
    close(s.log_partition(utility, lengths=given), log_partition)
    close(s.entropy(utility, lengths=given), entropy)
    for x in (s.argmax(utility, lengths=given), s.sample(utility, seed=3, lengths=given)):
        assert all((row == members).all(-1).any() for row in x)
        assert s.log_prob(utility, x, lengths=given).isfinite().all()


@on_each_structure
def test_regularizers_keep_to_the_hull_and_find_the_argmax(case):
    s, utility = case.structure, case.utility(8)
    for regularizer in s.regularizers:
        soft = s.relax(utility, 1.0, regularizer)
        assert ((soft >= 0) & (soft <= 1)).all()
        close(s.relax(utility, 1e-5, regularizer), s.argmax(utility), 1e-6)
        assert s.relax(utility, 1.0, regularizer, utility_range=2.0).isfinite().all()


@on_each_structure
def test_utility_range_floors_utilities(case):
    s, utility = case.structure, case.utility(8, scale=5.0)
    scaled = utility / 0.5
    floored = torch.maximum(scaled, scaled.amax(-1, keepdim=True) - 3)
    close(s.relax(utility, 0.5, utility_range=3.0), s.marginals(floored))


@on_each_structure
def test_temperature_may_be_a_tensor(case):
    s, utility = case.structure, case.utility(3)
    temperature = torch.tensor([[0.5], [1.0], [2.0]], dtype=torch.float64)
    rows = [s.relax(u, float(t)) for u, t in zip(utility, temperature, strict=True)]
    close(s.relax(utility, temperature), torch.stack(rows))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_single(dtype):
    tree = st.SpanningTree(5)
    utility = torch.randn(3, 10).to(dtype).requires_grad_()
    soft = tree.relax(utility, 0.5)
    assert soft.dtype is torch.float32
    assert torch.equal(soft, tree.relax(utility.float(), 0.5))
    soft.square().sum().backward()
    assert utility.grad.dtype is dtype
    with torch.autocast("cpu", dtype):
        projected = torch.nn.Linear(4, 10)(torch.randn(3, 4))
        assert projected.dtype is dtype and tree.marginals(projected).dtype is torch.float32


# ---- batches ------------------------------------------------------------------------------------


def verbs(s):
    """Every verb as a function of utilities alone."""
    return {
        "argmax": s.argmax,
        "log_partition": s.log_partition,
        "marginals": s.marginals,
        "entropy": s.entropy,
        "sample": lambda u: s.sample(u, seed=5),
        "log_prob": lambda u: s.log_prob(u, s.argmax(torch.zeros_like(u))),
        **{f"relax {r}": lambda u, r=r: s.relax(u, 0.7, r) for r in s.regularizers},
    }


@on_each_structure
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_batches(case, dtype):
    utility = case.utility(3, 37, dtype=dtype)
    for name, verb in verbs(case.structure).items():
        flat = verb(utility.reshape(-1, case.structure.size))
        result = verb(utility)
        assert torch.equal(result.reshape(flat.shape), flat), name
        assert result.shape[:2] == (3, 37), name
        strided = utility.transpose(0, 1).contiguous().transpose(0, 1)
        assert not strided.is_contiguous()
        assert torch.equal(verb(strided), result), name
        spaced = torch.stack([utility, utility], -1)[..., 0]
        assert torch.equal(verb(spaced), result), name
        if name != "sample":
            alone = torch.stack([verb(u) for u in utility[0]])
            assert torch.equal(alone, result[0]), name
            everywhere = verb(utility[0, 0].expand(2, 5, -1))
            assert torch.equal(everywhere, result[0, 0].expand_as(everywhere)), name


@on_each_structure
def test_empty_batches(case):
    size = case.structure.size
    for name, verb in verbs(case.structure).items():
        for leading in [(0,), (0, 3), (2, 0)]:
            utility = torch.zeros(*leading, size, requires_grad=True)
            result = verb(utility)
            assert result.shape[: len(leading)] == leading, name
            if result.requires_grad:
                result.sum().backward()
                assert utility.grad.shape == utility.shape, name


@on_each_structure
def test_threads_change_nothing(case):
    utility = case.utility(3000, dtype=torch.float32)
    try:
        for name, verb in verbs(case.structure).items():
            torch.set_num_threads(1)
            one = verb(utility)
            torch.set_num_threads(2)
            assert torch.equal(one, verb(utility)), name
    finally:
        torch.set_num_threads(1)


@on_each_structure
def test_a_spoilt_instance_spoils_no_other(case):
    s, good = case.structure, case.utility(3)
    spoilt = good.clone()
    spoilt[1, 0] = torch.nan
    for name, verb in verbs(s).items():
        result = verb(spoilt)
        assert result[1].isnan().all(), name
        assert torch.equal(result[[0, 2]], verb(good)[[0, 2]]), name
    if case.name != "bit_vector":  # where nothing is a member too
        spoilt[1] = -torch.inf
        assert s.marginals(spoilt)[1].isnan().all()
        assert s.log_partition(spoilt)[1] == -torch.inf
        assert s.marginals(spoilt)[[0, 2]].isfinite().all()


# ---- randomness -----------------------------------------------------------------------------------


@on_each_structure
def test_samples_follow_the_law(case):
    s, count = case.structure, 4000
    utility = case.utility(scale=1.0)
    draws = s.sample(utility.expand(count, -1), seed=11)
    chosen = (draws.unsqueeze(1) == case.members).all(-1)
    assert chosen.any(1).all()
    expected = log_weights(case.members, utility).softmax(-1) * count
    observed = chosen.sum(0)
    statistic = float(((observed - expected) ** 2 / expected).sum())
    freedom = len(case.members) - 1
    assert statistic < freedom + 5 * math.sqrt(2 * freedom) + 10


@on_each_structure
def test_a_draw_depends_on_seed_and_offset_alone(case):
    s, utility = case.structure, case.utility(50, scale=0.1)
    draws = s.sample(utility, seed=4)
    assert torch.equal(draws, s.sample(utility, seed=4))
    assert not torch.equal(draws, s.sample(utility, seed=5))
    assert torch.equal(draws[20:30], s.sample(utility[20:30], seed=4, offset=20))
    assert torch.equal(draws, s.sample(utility.reshape(5, 10, -1), seed=4).reshape(50, -1))


# ---- the classes --------------------------------------------------------------------------------


@on_each_structure
def test_structures_are_values(case):
    s = case.structure
    again = type(s)(**dict(zip(s.fields, s.shape, strict=True)))
    assert again == s and hash(again) == hash(s) and repr(again) == repr(s)
    assert type(s)(*(n + 1 for n in s.shape)) != s
    assert pickle.loads(pickle.dumps(s)) == s
    assert getattr(st, type(s).__name__) is type(s)
    with pytest.raises(AttributeError):
        s.size = 3


@pytest.mark.parametrize("cls", st.structures.values(), ids=lambda cls: cls.__name__)
def test_whatever_the_registry_names(cls):
    """Structures that no test here knows, too: each verb works, or says that it is not offered."""
    s = some(cls)
    assert pickle.loads(pickle.dumps(s)) == s
    utility = torch.linspace(-1, 1, 3 * s.size, dtype=torch.float64).reshape(3, s.size)
    for name, verb in verbs(s).items():
        if name.split()[0] in s.verbs:
            result = verb(utility)
            assert result.shape in (utility.shape, utility.shape[:1]) and not result.isnan().any()
        else:
            with pytest.raises(ValueError, match="does not offer"):
                verb(utility)
    for verb in {"log_partition", "marginals", "entropy"} & set(s.verbs):
        assert torch.autograd.gradcheck(getattr(s, verb), utility.clone().requires_grad_())


def permutation_matrices(pairs):
    return torch.stack([torch.eye(pairs, dtype=torch.float64)[list(p)].flatten()
                        for p in itertools.permutations(range(pairs))])


def test_matchings():
    s = st.Matching(pairs=4)
    utility = torch.randn(3, s.size, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    members = permutation_matrices(4)
    best = members[(members @ utility.T).argmax(0)]
    assert torch.equal(s.argmax(utility), best)
    for regularizer in ("shannon_entropy", "squared_norm"):
        soft = s.relax(utility, 0.5, regularizer).reshape(3, 4, 4)
        close(soft.sum(-1), torch.ones(3, 4, dtype=torch.float64))
        close(soft.sum(-2), torch.ones(3, 4, dtype=torch.float64))
        close(s.relax(utility, 1e-4, regularizer), best)
        variable = utility.clone().requires_grad_()
        assert torch.autograd.gradcheck(lambda u, r=regularizer: s.relax(u, 0.5, r), variable)
    short = s.argmax(utility, lengths=[2, 3, 4]).reshape(3, 4, 4)
    assert short.sum((1, 2)).tolist() == [2, 3, 4] and not short[0, 2:].any()


def test_sums_over_matchings_are_for_few_pairs():
    assert st.Matching(pairs=16).log_partition(torch.zeros(256)).isfinite()
    for verb in ("log_partition", "marginals", "entropy", "sample"):
        with pytest.raises(ValueError, match="up to 16 pairs, got 17.*permanents"):
            verbs(st.Matching(pairs=17))[verb](torch.zeros(289))


@pytest.mark.parametrize("rows, columns", [(5, 5), (3, 7), (7, 3), (1, 6)])
@pytest.mark.parametrize("partial", [False, True])
def test_assignments_equal_those_of_networkx(rows, columns, partial):
    """Square, rectangular and partial assignments, by padding with 0."""
    pairs = rows + columns if partial else max(rows, columns)
    for seed in range(5):
        inside = torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed),
                             dtype=torch.float64)
        utility = torch.zeros(pairs, pairs, dtype=torch.float64)
        utility[:rows, :columns] = inside
        x = st.Matching(pairs).argmax(utility.flatten()).reshape(pairs, pairs)[:rows, :columns]
        graph = networkx.Graph()
        graph.add_weighted_edges_from(
            (("row", i), ("column", j), float(inside[i, j]))
            for i in range(rows) for j in range(columns))
        wanted = torch.zeros_like(x)
        for pair in networkx.max_weight_matching(graph, maxcardinality=not partial):
            (_, j), (_, i) = sorted(pair)
            wanted[i, j] = 1
        assert torch.equal(x, wanted)


def test_fields_with_defaults():
    s = st.Arborescence(nodes=4)
    assert s == st.Arborescence(4, 0, single_root=0) and s.shape == (4, 0, 0)
    assert repr(s) == "Arborescence(nodes=4, root=0, single_root=0)"
    assert str(inspect.signature(st.Arborescence)).count("=") == 2
    ops = torch.ops.softtricks
    u = torch.arange(16.0).view(1, 16)
    short, long = (ops.argmax(u, "arborescence", shape, None) for shape in ([4], [4, 0, 0]))
    assert torch.equal(short, long)


def test_every_public_name_is_documented():
    for name in st.__all__:
        assert getattr(st, name) is not None
    names = ("perturb", "noise", "transform", "perturbation_log_prob", "perturbation_kl", "Structure")
    for name in names:
        assert getattr(st, name).__doc__
    for verb in st.structures["OneHot"].verbs:
        if not verb.endswith("_vjp"):
            assert getattr(st.Structure, verb).__doc__, verb


# ---- bad input ------------------------------------------------------------------------------------

TREE = st.SpanningTree(nodes=4)
U = torch.zeros(2, 6)

BAD = {
    "nodes of 1": (lambda: st.SpanningTree(nodes=1), ValueError, "nodes.*1"),
    "k above items": (lambda: st.KSubset(items=3, k=4), ValueError, "k.*4"),
    "no categories": (lambda: st.OneHot(categories=0), ValueError, "categories.*0"),
    "bits below 0": (lambda: st.BitVector(bits=-2), ValueError, "bits.*-2"),
    "missing field": (lambda: st.KSubset(items=3), TypeError, "'k'"),
    "root of no node": (lambda: st.Arborescence(nodes=3, root=3), ValueError, "root.*3"),
    "single free root": (lambda: st.Arborescence(3, -1, 1), ValueError, "single_root.*root = -1"),
    "unknown field": (lambda: st.OneHot(categories=3, k=1), TypeError, "'k'"),
    "fraction of nodes": (lambda: st.SpanningTree(2.5), TypeError, "nodes.*2.5"),
    "wrong size": (lambda: TREE.marginals(torch.zeros(2, 5)), ValueError, r"utility.*\.\.\., 6.*5"),
    "no dimension": (lambda: TREE.argmax(torch.tensor(1.0)), ValueError, r"utility.*\[\]"),
    "no tensor": (lambda: TREE.marginals([0.0] * 6), TypeError, "utility.*list"),
    "integers": (lambda: TREE.marginals(U.long()), ValueError, "utility.*float32.*int64"),
    "sparse": (lambda: TREE.marginals(U.to_sparse()), ValueError, "utility.*dense"),
    "temperature 0": (lambda: TREE.relax(U, 0), ValueError, "temperature.*0"),
    "temperature < 0": (lambda: TREE.relax(U, -1.5), ValueError, "temperature.*-1.5"),
    "temperature nan": (lambda: TREE.relax(U, math.nan), ValueError, "temperature.*nan"),
    "temperature inf": (lambda: TREE.relax(U, math.inf), ValueError, "temperature.*inf"),
    "temperature text": (lambda: TREE.relax(U, "1"), TypeError, "temperature.*'1'"),
    "temperatures": (lambda: TREE.relax(U, torch.tensor([[1.0], [0.0]])), ValueError, "temp.*> 0"),
    "range 0": (lambda: TREE.relax(U, 1, utility_range=0), ValueError, "utility_range.*0"),
    "range nan": (lambda: TREE.relax(U, 1, utility_range=math.nan), ValueError, "range.*nan"),
    "regularizer": (lambda: TREE.relax(U, 1, "entropy"), ValueError, "'entropy'.*gibbs_entropy"),
    "not offered": (
        lambda: st.GridPath(2, 3).relax(U, 1, "binary_entropy"),
        ValueError,
        "grid_path.*binary_entropy.*offers",
    ),
    "length 0": (lambda: TREE.argmax(U, lengths=[4, 0]), ValueError, r"lengths.*0.*instance 1"),
    "length 5": (lambda: TREE.argmax(U, lengths=[4, 5]), ValueError, r"lengths.*4\].*5"),
    "3 lengths": (lambda: TREE.argmax(U, lengths=[4, 4, 4]), ValueError, r"lengths.*\[2\].*\[3\]"),
    "lengths float": (lambda: TREE.argmax(U, lengths=[4.0, 4]), ValueError, "lengths.*integers"),
    "lengths bool": (lambda: TREE.argmax(U, lengths=[True, True]), ValueError, "lengths.*integers"),
    "seed": (lambda: TREE.sample(U, seed=1.5), TypeError, "seed.*1.5"),
    "large seed": (lambda: TREE.sample(U, seed=2**63), ValueError, "seed.*64 bits.*9223"),
    "no seed": (lambda: TREE.sample(U), TypeError, "seed"),
    "x's size": (lambda: TREE.log_prob(U, torch.zeros(2, 5)), ValueError, r"x.*6.*5"),
    "x's batch": (lambda: TREE.log_prob(U, torch.zeros(3, 6)), ValueError, r"x.*\[3, 6\]"),
    "x's device": (lambda: TREE.log_prob(U, U.to("meta")), ValueError, "x.*cpu.*meta"),
    "lengths' device": (
        lambda: TREE.argmax(U, lengths=torch.tensor([4, 4], device="meta")),
        ValueError,
        "lengths.*cpu.*meta",
    ),
    "perturbation": (lambda: st.perturb("cauchy", U, seed=1), ValueError, "'cauchy'.*gumbel"),
    "scale 0": (lambda: st.perturb("normal", U, seed=1, scale=0), ValueError, "scale.*0.0"),
    "scale text": (lambda: st.perturb("normal", U, seed=1, scale="2"), TypeError, "scale.*'2'"),
    "width": (lambda: st.noise("normal", U, seed=1, width=2), TypeError, "width.*normal.*scale"),
    "terms": (
        lambda: st.perturb("sum_of_gamma", U, seed=1, terms=1.5),
        ValueError,
        "terms.*whole.*1.5",
    ),
    "kl": (lambda: st.perturbation_kl("sum_of_gamma", U, U), ValueError, "kl.*support.*transform"),
    "noise": (lambda: st.transform("gumbel", U, U.double()), ValueError, "noise.*float32"),
    "theta": (lambda: st.perturb("gumbel", U.long(), seed=1), ValueError, "theta.*int64"),
    "value": (
        lambda: st.perturbation_log_prob("gumbel", U, U.double()),
        ValueError,
        "value.*float32.*float64",
    ),
    "theta0": (
        lambda: st.perturbation_kl("gumbel", U, torch.zeros(5)),
        ValueError,
        r"theta0.*\[5\]",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_in_words(name):
    call, kind, words = BAD[name]
    with pytest.raises(kind) as refusal:
        call()
    assert re.search(words, str(refusal.value)), str(refusal.value)


def test_the_operators_refuse_by_themselves_too():
    """What C++ programs see, which call the operators without the Python classes."""
    ops, tree = torch.ops.softtricks, ("spanning_tree", [4], None)
    for call, words in (
        (lambda: ops.marginals(torch.zeros(2, 5), *tree), r"utility.*6\].*\[2, 5\]"),
        (lambda: ops.marginals(U.long(), *tree), "utility.*float32 or float64"),
        (lambda: ops.marginals_vjp(U, U[0], *tree), r"cotangent.*\[2, 6\].*\[6\]"),
        (lambda: ops.marginals_vjp(U, U.double(), *tree), "cotangent.*type.*float32"),
        (lambda: ops.argmax(U, "spanning_tree", [4], torch.tensor([4])), r"lengths.*\[2\].*\[1\]"),
        (lambda: ops.argmax(U, "spanning_tree", [4], U[:, 0]), "lengths.*int64"),
        (lambda: ops.argmax(U, "hedge", [4], None), "hedge.*spanning_tree"),
        (lambda: ops.argmax(U, "spanning_tree", [4, 4], None), "spanning_tree.*nodes"),
    ):
        with pytest.raises(RuntimeError) as refusal:
            call()
        assert re.search(words, str(refusal.value)), str(refusal.value)


def test_a_missing_library_is_named():
    package = Path(st.__file__).resolve().parents[2]
    run = subprocess.run(
        [sys.executable, "-c", "import softtricks.torch"],
        env={**os.environ, "SOFTTRICKS_TORCH_LIBRARY": "/nowhere.so", "PYTHONPATH": str(package)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert run.returncode != 0
    assert "SOFTTRICKS_TORCH_LIBRARY=/nowhere.so: no such file" in run.stderr
