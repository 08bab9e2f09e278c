"""The layouts that the graph-layout experiment trains on, against the documented rule in NumPy."""

import json

import numpy as np
import pytest
from graph_layout_program import needs_program, run

pytestmark = needs_program
NODES = 10


def program_step(positions, edges):
    """One step as the training program does it."""
    question = {"positions": positions.tolist(), "edges": [list(map(int, e)) for e in edges]}
    result = run("layout-step", input=json.dumps(question))
    assert result.returncode == 0, result.stderr
    return np.array(json.loads(result.stdout)["positions"])


def forces(positions, adjacency):
    n = len(positions)
    k = np.sqrt(1 / n)
    difference = positions[:, None] - positions[None]
    distance = np.maximum(np.linalg.norm(difference, axis=-1), 0.01)
    strength = k**2 / distance**2 - adjacency * distance / k
    return (difference * strength[..., None]).sum(axis=1)


def numpy_step(positions, adjacency):
    """The rule of NetworkX before 3.6, stated once more: lengths below 0.01 become 0.1."""
    step = 0.1 * np.ptp(positions, axis=0).max()
    force = forces(positions, adjacency)
    length = np.linalg.norm(force, axis=1)
    length = np.where(length < 0.01, 0.1, length)
    moved = positions + step * force / length[:, None]
    moved -= moved.mean(axis=0)
    return moved / np.abs(moved).max()


def random_layout(seed):
    random = np.random.default_rng(seed)
    edges = [(random.integers(0, v), v) for v in range(1, NODES)]
    adjacency = np.zeros((NODES, NODES))
    for i, j in edges:
        adjacency[i, j] = adjacency[j, i] = 1
    return random.normal(size=(NODES, 2)), edges, adjacency


@pytest.mark.parametrize("seed", range(5))
def test_step_is_the_documented_rule(seed):
    positions, edges, adjacency = random_layout(seed)
    for _ in range(10):
        expected = numpy_step(positions, adjacency)
        positions = program_step(positions, edges)
        np.testing.assert_allclose(positions, expected, rtol=0, atol=1e-12)


def test_an_almost_balanced_vertex_moves_less():
    """Vertex 1 sits a hair off the balance between its two neighbours."""
    positions = np.array([[-1.0, 0.0], [0.0005, 0.0], [1.0, 0.0]])
    edges = [(0, 1), (1, 2)]
    adjacency = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], dtype=float)
    length = np.linalg.norm(forces(positions, adjacency)[1])
    assert 0 < length < 0.01
    np.testing.assert_allclose(
        program_step(positions, edges), numpy_step(positions, adjacency), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("seed", range(5))
def test_step_is_networkx(seed):
    """Old and new NetworkX agree while no force is below 0.01; only older ones are asked below."""
    networkx = pytest.importorskip("networkx")
    positions, edges, adjacency = random_layout(seed)
    old_rule = tuple(map(int, networkx.__version__.split(".")[:2])) < (3, 6)
    for _ in range(10):
        if not old_rule and np.linalg.norm(forces(positions, adjacency), axis=1).min() < 0.01:
            break
        graph = networkx.Graph(edges)
        layout = networkx.spring_layout(
            graph, pos=dict(enumerate(positions)), iterations=1, threshold=1e-10, center=(0, 0)
        )
        expected = np.array([layout[v] for v in range(NODES)])
        positions = program_step(positions, edges)
        np.testing.assert_allclose(positions, expected, rtol=0, atol=1e-6)


def read_arrays(path):
    """The arrays of a safetensors file."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    types = {"F32": np.float32, "U8": np.uint8}
    arrays = {}
    for name, entry in header.items():
        if name != "__metadata__":
            first, last = (8 + length + offset for offset in entry["data_offsets"])
            flat = np.frombuffer(content[first:last], types[entry["dtype"]])
            arrays[name] = flat.reshape(entry["shape"])
    return arrays


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn")
    arguments = ("--preset", "test", "--no-report", "--updates", 1, "--train-graphs", 20000)
    result = run(*arguments, "--rows", "top_edges", "--data", folder, "--out", folder / "run")
    assert result.returncode == 0, result.stderr
    (file,) = folder.glob("*.safetensors")
    return read_arrays(file)


def test_every_tree_spans(data):
    trees = data["train.trees"]
    assert (trees[..., 0] < trees[..., 1]).all()
    for edges in trees[:200]:
        root = list(range(NODES))
        for i, j in edges:
            assert root[i] != root[j], "a cycle"
            root = [root[i] if r == root[j] else r for r in root]
        assert len(set(root)) == 1


def test_trees_are_fair(data):
    """Every edge lies in a tree with probability 2/n: 5 standard deviations of 20,000 draws."""
    trees = data["train.trees"].astype(int)
    count = np.bincount((trees[..., 0] * NODES + trees[..., 1]).ravel(), minlength=NODES**2)
    share = count.reshape(NODES, NODES)[np.triu_indices(NODES, 1)] / len(trees)
    assert np.abs(share - 2 / NODES).max() < 5 * np.sqrt(0.2 * 0.8 / len(trees))


def test_frames_follow_the_rule(data):
    positions, trees = data["train.positions"], data["train.trees"]  # [graphs, nodes, frames, 2]
    assert positions.shape[1:] == (NODES, 10, 2)
    np.testing.assert_allclose(np.abs(positions).max(axis=(1, 3)), 1, atol=1e-6)
    np.testing.assert_allclose(positions.mean(axis=1), 0, atol=1e-6)
    for graph in range(20):
        adjacency = np.zeros((NODES, NODES))
        adjacency[tuple(trees[graph].T)] = 1
        adjacency += adjacency.T
        for frame in range(9):
            here = positions[graph, :, frame].astype(float)
            # Near its balance a vertex's direction is too sensitive to float32 rounding.
            if np.linalg.norm(forces(here, adjacency), axis=1).min() > 0.05:
                expected = numpy_step(here, adjacency)
                np.testing.assert_allclose(positions[graph, :, frame + 1], expected, atol=1e-3)
