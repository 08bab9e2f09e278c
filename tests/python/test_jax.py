"""softtricks.jax: values against enumeration, transforms, randomness, and what bad input says."""

import importlib
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from jax_support import ALL, CASES, close, gibbs_law, jax, jnp, offered, on_all, on_cases, same, sj, utilities

ROOT = Path(__file__).resolve().parents[2]
TREE, TREES = CASES[2]

# ---- values -----------------------------------------------------------------------------------


@on_cases
def test_gibbs_law_equals_its_enumeration(s, members):
    u, v = utilities(s, 2, 3), utilities(s, 2, 3, seed=1)
    log_partition, marginals, entropy = gibbs_law(members, u)
    close(s.log_partition(u), log_partition)
    close(s.marginals(u), marginals)
    close(s.entropy(u), entropy)
    close(s.relax(u, 0.5), gibbs_law(members, u / 0.5)[1])
    close(s.log_prob(u, members[0]), u @ members[0] - log_partition)
    cross = gibbs_law(members, v)[0] - (marginals * v).sum(-1)
    close(s.cross_entropy(u, v), cross)
    close(s.kl(u, v), cross - entropy)
    close(s.argmax(u), members[(np.asarray(u) @ members.T).argmax(-1)])


@on_cases
def test_draws_follow_the_gibbs_law(s, members):
    """Chi-square over all members, for one key, and for a key a draw under vmap."""
    u, many = utilities(s, scale=0.7), 4000
    expected = many * np.exp(np.asarray(u) @ members.T - float(s.log_partition(u)))
    one = s.sample(jnp.broadcast_to(u, (many, s.size)), jax.random.key(5))
    each = jax.vmap(lambda key: s.sample(u, key))(jax.random.split(jax.random.key(6), many))
    for draws in (one, each):
        counts = (np.asarray(draws)[:, None] == members).all(-1).sum(0)
        assert counts.sum() == many
        degrees = len(members) - 1
        excess = ((counts - expected) ** 2 / expected).sum() - degrees
        assert excess < 4.5 * np.sqrt(2 * degrees) + 6  # the tail of small degrees is heavier


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16, jnp.float32])
def test_types(dtype):
    u = utilities(TREE, 4, dtype=dtype)
    exact = TREE.marginals(u.astype(jnp.float32)).astype(dtype)
    assert TREE.marginals(u).dtype == dtype
    same(TREE.marginals(u), exact)
    assert jax.grad(lambda u: TREE.relax(u, 0.5).sum())(u).dtype == dtype
    assert sj.perturb("gumbel", u, seed=1).dtype == dtype
    close(exact.astype(jnp.float64), gibbs_law(TREES, u.astype(jnp.float64))[1], 2e-2)


def test_an_excluded_entry_and_a_bad_instance_stay_where_they_are():
    u = utilities(TREE, 3).at[0, 2].set(-jnp.inf).at[1, 0].set(jnp.nan)
    marginals = TREE.marginals(u)
    assert marginals[0, 2] == 0 and bool(jnp.isnan(marginals[1]).all())
    same(marginals[2], TREE.marginals(u[2]))
    gradient = jax.grad(lambda u: TREE.entropy(u).sum() + TREE.relax(u, jnp.array(0.5))[0, 0])(u)
    assert bool(jnp.isfinite(gradient[0]).all() & jnp.isfinite(gradient[2]).all())


def test_lengths_and_counts():
    small, few = sj.SpanningTree(nodes=3), sj.KSubset(items=5, k=1)
    u = utilities(TREE, 4)
    own = jnp.array([0, 1, 3])  # the edges among the first three nodes
    close(TREE.log_partition(u, lengths=3), small.log_partition(u[:, own]))
    lengths = jnp.array([4, 3, 4, 3])
    batched = TREE.marginals(u, lengths=lengths)
    same(batched, jax.vmap(lambda u, n: TREE.marginals(u, lengths=n))(u, lengths))
    same(batched[1::2], jax.vmap(lambda u: TREE.marginals(u, lengths=3))(u[1::2]))
    same(batched, TREE.marginals(u, lengths=lengths.astype(jnp.int16)))
    w = utilities(few, 2)
    close(sj.KSubset(items=5, k=2).marginals(w, counts=[1, 1]), few.marginals(w))
    slope = jax.grad(lambda u: TREE.log_partition(u, lengths=lengths).sum())(u)
    same(slope, batched)


# ---- transforms -------------------------------------------------------------------------------


@on_all
def test_jit_is_eager_and_vmap_is_a_loop_bit_for_bit(s):
    u = utilities(s, 3, 2, dtype=jnp.float32)
    verbs = offered(s, u)

    def every(u):
        return {name: verb(u) for name, verb in verbs.items()}

    eager, one = every(u), jax.jit(every)
    same(one(u), eager)
    loop = jax.tree.map(lambda *rows: jnp.stack(rows), *[one(row) for row in u])
    same(jax.jit(jax.vmap(every))(u), loop)
    same(jax.jit(jax.vmap(every, in_axes=2))(jnp.moveaxis(u, 0, 2)), loop)
    assert jax.tree.map(jnp.shape, jax.eval_shape(every, u)) == jax.tree.map(jnp.shape, eager)


@on_all
def test_vmap_of_gradients_is_a_loop_bit_for_bit(s):
    u = utilities(s, 3)
    verbs = offered(s, u)
    smooth = [verbs[name] for name in verbs if name == "marginals" or name.startswith("relax")]

    def slope(u):
        return jax.grad(lambda u: sum((f(u) * jnp.arange(s.size)).sum() for f in smooth))(u)

    one = jax.jit(slope)
    same(jax.jit(jax.vmap(slope))(u), jnp.stack([one(row) for row in u]))


def test_scan_and_checkpoint_and_cond():
    u = utilities(TREE, 2)

    def step(carry, key):
        soft = TREE.relax(sj.perturb("gumbel", carry, key), 0.8)
        return carry + soft, soft.sum()

    keys = jax.random.split(jax.random.key(1), 3)
    carry = u
    for key in keys:
        carry, _ = step(carry, key)
    scanned = jax.jit(lambda u: jax.lax.scan(step, u, keys)[0])
    same(scanned(u), carry)
    gradient = jax.grad(lambda u: jnp.square(scanned(u)).sum())(u)
    remade = jax.checkpoint(lambda u: jax.lax.scan(jax.checkpoint(step), u, keys)[0])
    close(jax.grad(lambda u: jnp.square(remade(u)).sum())(u), gradient)
    chosen = jax.lax.cond(u.sum() > 1e6, TREE.argmax, TREE.marginals, u)
    same(chosen, TREE.marginals(u))


def test_empty_batches():
    assert TREE.marginals(jnp.zeros((0, 6))).shape == (0, 6)
    assert TREE.sample(jnp.zeros((2, 0, 6)), seed=1).shape == (2, 0, 6)
    assert jax.vmap(TREE.sample)(jnp.zeros((3, 0, 6)), jax.random.split(jax.random.key(0), 3)).size == 0


def test_large_batches_run_on_threads_and_agree_with_small_ones():
    u = utilities(TREE, 5000, dtype=jnp.float32)
    same(TREE.marginals(u)[4990:], TREE.marginals(u[4990:]))
    same(TREE.sample(u, seed=3)[4990:], TREE.sample(u[4990:], seed=3, offset=4990))
    keys = jax.random.split(jax.random.key(0), 5000)
    same(jax.vmap(TREE.sample)(u, keys)[4990:], jax.vmap(TREE.sample)(u[4990:], keys[4990:]))


PROGRAM = """
import jax, jax.numpy as jnp, numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec as P
from softtricks.jax import SpanningTree, perturb
mesh, tree = Mesh(np.array(jax.devices()), ("batch",)), SpanningTree(nodes=4)
u = jax.random.normal(jax.random.key(0), (4, 6))
assert u.dtype == jnp.float32 and len(jax.devices()) == 2
v = u[0] / 2
def loss(u, v):
    soft = tree.relax(perturb("gumbel", u, seed=0), 0.5)
    return jnp.square(soft).sum() + tree.kl(u, v).sum() + tree.log_partition(u, lengths=3).sum()
# Both halves read the same streams, as they would by themselves.
whole = lambda u, v: loss(u[:2], v) + loss(u[2:], v)
parts = jax.shard_map(lambda u, v: jax.lax.psum(loss(u, v), "batch"), mesh=mesh,
                      in_specs=(P("batch"), P()), out_specs=P())
np.testing.assert_allclose(parts(u, v), whole(u, v), rtol=1e-6)
for a, b in zip(jax.grad(parts, (0, 1))(u, v), jax.jit(jax.grad(whole, (0, 1)))(u, v)):
    np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
draw = jax.shard_map(lambda u, k: tree.sample(u, k[0]), mesh=mesh, in_specs=P("batch"), out_specs=P("batch"))
keys = jax.random.split(jax.random.key(1), 2)
x = jax.jit(draw)(u, keys)
assert (x == jnp.concatenate([tree.sample(u[:2], keys[0]), tree.sample(u[2:], keys[1])])).all()
spread = jax.device_put(u, NamedSharding(mesh, P("batch")))
assert (jax.jit(tree.marginals)(spread) == tree.marginals(u)).all()
assert (tree.sample(u, seed=2**40) != tree.sample(u, seed=2**41)).any()
import doctest, softtricks, softtricks.jax
names, attempted = {"numpy": np, "softtricks": softtricks}, {}
for place in (softtricks.jax, softtricks.jax.Structure, softtricks.jax._Laws):
    for examples in doctest.DocTestFinder().find(place, "softtricks.jax", globs=names):
        result = doctest.DocTestRunner().run(examples)
        assert result.failed == 0
        attempted[place] = attempted.get(place, 0) + result.attempted
assert len(attempted) == 3 and all(attempted.values()), attempted
print("fine")
"""


def test_two_devices_and_docstrings_in_32_bits():
    env = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=2", "JAX_PLATFORMS": "cpu"}
    env["PYTHONPATH"] = os.pathsep.join([str(ROOT / "bindings/python"), env.get("PYTHONPATH", "")])
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=env, capture_output=True, text=True, timeout=300)
    assert done.stdout == "fine\n", done.stderr


# ---- randomness -------------------------------------------------------------------------------


def test_keys_and_seeds():
    u = utilities(TREE, 50)
    key = jax.random.key(3)
    x = TREE.sample(u, key)
    same(x, TREE.sample(u, key=key))
    same(x, TREE.sample(u, jax.random.PRNGKey(3)))  # a key that is an array
    same(x, jax.jit(TREE.sample)(u, key))
    assert bool((x != TREE.sample(u, jax.random.key(4))).any())
    assert bool((x != TREE.sample(u, jax.random.key(3, impl="rbg"))).any())
    for seed in (5, -5, 2**40 + 1, -(2**62)):
        traced = jax.jit(lambda u, seed, offset: TREE.sample(u, seed=seed, offset=offset))
        same(traced(u, seed, 9), TREE.sample(u, seed=seed, offset=9))
    same(traced(u, jnp.int32(-5), 2), TREE.sample(u, seed=-5, offset=2))
    same(traced(u, jnp.uint32(2**31), 2), TREE.sample(u, seed=2**31, offset=2))
    count = traced._cache_size()
    traced(u, 12345, 9)
    assert traced._cache_size() == count  # one compilation for all seeds


def test_vmap_over_keys_is_a_loop_bit_for_bit():
    u, keys = utilities(TREE, 5, 3), jax.random.split(jax.random.key(0), 5)
    same(jax.vmap(TREE.sample)(u, keys), jnp.stack([TREE.sample(*pair) for pair in zip(u, keys)]))
    alone = jax.vmap(lambda key: TREE.sample(u[0], key))(keys)
    same(alone, jnp.stack([TREE.sample(u[0], key) for key in keys]))
    common = jax.vmap(lambda u: sj.perturb("gumbel", u, keys[0]))(u)
    same(common, jnp.stack([sj.perturb("gumbel", row, keys[0]) for row in u]))
    numbers = jax.vmap(lambda theta, key: sj.perturb("normal", theta, key))(jnp.zeros(5), keys)
    same(numbers, jnp.stack([sj.perturb("normal", jnp.array(0.0), key) for key in keys]))


@pytest.mark.parametrize("framework", ["numpy", "torch"])
def test_same_numbers_as_other_front_ends(framework):
    """Bit for bit, for the same seed."""
    pytest.importorskip(framework)
    other = importlib.import_module("softtricks.torch" if framework == "torch" else "softtricks")
    there = importlib.import_module("torch").from_numpy if framework == "torch" else np.asarray
    stream = {"seed": 2**40 + 3, "offset": 5}
    for s in ALL:
        twin = getattr(other, type(s).__name__)(*s.shape)
        u = np.random.default_rng(1).normal(size=(9, s.size)).astype(np.float32)
        here = offered(s, jnp.asarray(u))
        for verb in {"argmax", "marginals", "log_partition", "entropy"} & set(here):
            same(here[verb](u), getattr(twin, verb)(there(u)))
        if "sample" in here:
            same(s.sample(u, **stream), twin.sample(there(u), **stream))
        for r in s.regularizers:
            same(s.relax(u, 0.5, r), twin.relax(there(u), 0.5, r))
    for law in sj.perturbations:
        same(sj.perturb(law, u, seed=-3), other.perturb(law, there(u), seed=-3))


# ---- structures as values ---------------------------------------------------------------------


def test_structures_are_static():
    same_one = sj.SpanningTree(nodes=4)
    assert TREE == same_one and hash(TREE) == hash(same_one) and TREE != sj.SpanningTree(nodes=5)
    assert jax.tree.leaves(TREE) == [] and jax.tree.map(lambda x: x, {"s": TREE})["s"] == TREE
    assert pickle.loads(pickle.dumps(TREE)) == TREE
    u = utilities(TREE, 2)
    f = jax.jit(lambda s, u: s.marginals(u), static_argnums=0)
    g = jax.jit(lambda pair: pair[0].marginals(pair[1]))
    same(f(TREE, u), TREE.marginals(u))
    same(g((TREE, u)), TREE.marginals(u))
    assert f(same_one, u) is not None and f._cache_size() == 1


def test_equinox_modules_hold_structures():
    equinox = pytest.importorskip("equinox")

    class Model(equinox.Module):
        structure: sj.Structure
        theta: jax.Array

        def __call__(self, key):
            return self.structure.relax(sj.perturb("gumbel", self.theta, key), 0.5)

    model = Model(TREE, utilities(TREE))
    gradient = equinox.filter_jit(equinox.filter_grad(lambda m, k: jnp.square(m(k)).sum()))(
        model, jax.random.key(0)
    )
    assert bool(jnp.isfinite(gradient.theta).all() & (gradient.theta != 0).any())


# ---- what bad input says ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda u: TREE.marginals(u[..., :5]), ValueError, r"utility: expected shape \[\.\.\., 6\]"),
        (lambda u: TREE.marginals(u.astype(int)), ValueError, "utility: expected float32"),
        (lambda u: TREE.marginals([0.0] * 6), TypeError, "utility: expected a jax.Array, not list"),
        (lambda u: TREE.relax(u, 0.0), ValueError, "temperature must be positive"),
        (lambda u: TREE.relax(u, 1.0, "l1"), ValueError, "regularizer 'l1' is unknown; offered"),
        (lambda u: TREE.marginals(u, lengths=1.5), ValueError, "lengths: expected integers"),
        (lambda u: TREE.marginals(u, lengths=[1, 2, 3, 4]), ValueError, "lengths: expected one number"),
        (lambda u: TREE.marginals(u, counts=2), ValueError, "no count"),
        (lambda u: TREE.kl(u, u[..., :2]), ValueError, "other: expected shape"),
        (lambda u: TREE.sample(u), TypeError, "expected key, a key of jax.random, or seed"),
        (lambda u: TREE.sample(u, 1.5), TypeError, "seed: expected an integer"),
        (lambda u: TREE.sample(u, jax.random.split(jax.random.key(0))), ValueError, "use jax.vmap"),
        (lambda u: sj.Matching(pairs=40).marginals(jnp.zeros(1600)), ValueError, "matching"),
        (lambda u: sj.perturb("cauchy", u, seed=0), ValueError, "cauchy"),
        (lambda u: sj.perturb("normal", u, seed=0, width=2), TypeError, "width: not a parameter"),
        (lambda u: sj.SpanningTree(nodes=0), ValueError, "nodes"),
    ],
)
def test_misuse_is_told_while_tracing(call, error, words):
    u = utilities(TREE, 2)
    for run in (call, jax.jit(call)):
        with pytest.raises(error, match=words):
            run(u)


def test_what_is_not_known_while_tracing():
    u = utilities(TREE, 2)
    with pytest.raises(TypeError, match="count: expected an integer that is known while"):
        jax.jit(lambda u, n: TREE.active_set(u, 1.0, n))(u, 3)
    with pytest.raises(TypeError, match="temperature: expected a number that is known"):
        jax.jit(lambda u, t: TREE.active_set(u, t, 3))(u, 1.0)
    with pytest.raises(Exception, match=r"lengths must be in \[1, 4\], got 9"):
        jax.block_until_ready(TREE.marginals(u, lengths=9))
