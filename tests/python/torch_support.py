"""Structures in a few small shapes with all their members written out, for the tests of
softtricks.torch. The binding is the same for every structure, so a new one need not be added here;
test_torch.py runs whatever the registry names at least once."""

import itertools

import softtricks.torch as st
import torch

torch.set_num_threads(1)


def one_hot(categories):
    return torch.eye(categories)


def bit_vector(bits):
    return torch.tensor(list(itertools.product([0.0, 1.0], repeat=bits)))


def k_subset(items, k):
    chosen = itertools.combinations(range(items), k)
    return torch.stack([torch.zeros(items).index_fill(0, torch.tensor(c), 1) for c in chosen])


def spanning_tree(nodes):
    edges = list(itertools.combinations(range(nodes), 2))
    trees = []
    for chosen in itertools.combinations(range(len(edges)), nodes - 1):
        part = list(range(nodes))  # the part of the forest that each node lies in
        for e in chosen:
            a, b = (part[end] for end in edges[e])
            part = [a if p == b else p for p in part]
        if len(set(part)) == 1:
            trees.append(torch.zeros(len(edges)).index_fill(0, torch.tensor(chosen), 1))
    return torch.stack(trees)


def arborescence(nodes, root, single_root):
    members = []
    for heads in itertools.product(range(nodes), repeat=nodes):
        # A free root is its own head; a fixed one is here, too.
        roots = [j for j, i in enumerate(heads) if i == j]
        if len(roots) != 1 or root not in (-1, roots[0]):
            continue
        reached = list(range(nodes))
        for _ in range(nodes):
            reached = [heads[j] for j in reached]
        if set(reached) != set(roots) or (single_root and heads.count(roots[0]) != 2):
            continue
        x = torch.zeros(nodes, nodes)
        x[list(heads), list(range(nodes))] = 1
        if root >= 0:
            x[root, root] = 0
        members.append(x.flatten())
    return torch.stack(members)


def matching(pairs):
    orders = itertools.permutations(range(pairs))
    return torch.stack([torch.eye(pairs)[list(columns)].flatten() for columns in orders])


MEMBERS = {f.__name__: f for f in
           (one_hot, bit_vector, k_subset, spanning_tree, arborescence, matching)}
SHAPES = {
    "one_hot": [(1,), (4,)],
    "bit_vector": [(1,), (3,)],
    "k_subset": [(1, 1), (5, 2), (4, 4)],
    "spanning_tree": [(2,), (4,)],
    "arborescence": [(3, 0, 0), (3, -1, 0)],
    "matching": [(1,), (3,)],
}


class Case:
    """A structure, its members [count, size] in float64, and a smaller instance of it."""

    def __init__(self, structure):
        self.structure = structure
        self.name = structure.name
        self.members = MEMBERS[self.name](*structure.shape).double()
        assert self.members.shape[1] == structure.size

    def shorter(self, length):
        """The members of an instance of that length, laid out in this structure's entries."""
        smaller = type(self.structure)(length, *self.structure.shape[1:])
        if self.name == "spanning_tree":
            edges = list(itertools.combinations(range(self.structure.nodes), 2))
            places = [e for e, (_, j) in enumerate(edges) if j < length]
        elif self.name in ("arborescence", "matching"):
            side = self.structure.shape[0]
            places = [i * side + j for i in range(length) for j in range(length)]
        else:
            places = list(range(length))
        members = Case(smaller).members
        laid_out = torch.zeros(len(members), self.structure.size, dtype=torch.float64)
        laid_out[:, places] = members
        return laid_out

    def utility(self, *leading, dtype=torch.float64, seed=0, scale=2.0):
        generator = torch.Generator().manual_seed(seed)
        values = torch.randn(*leading, self.structure.size, generator=generator, dtype=dtype)
        return values * scale

    def __repr__(self):
        return repr(self.structure)


WRITTEN_OUT = [cls for cls in st.structures.values() if cls.name in MEMBERS]
CASES = [Case(cls(*shape)) for cls in WRITTEN_OUT for shape in SHAPES[cls.name]]
LARGE = [Case(cls(*SHAPES[cls.name][1])) for cls in WRITTEN_OUT]


def log_weights(members, utility):
    """u . x of every member, [..., count]; an excluded entry counts only in members that hold it."""
    product = members * utility.unsqueeze(-2)
    return torch.where(members == 0, 0.0, product).sum(-1)


def enumerate_gibbs(members, utility):
    """log_partition, marginals and entropy, member by member."""
    weights = log_weights(members, utility)
    probabilities = weights.softmax(-1)
    logs = weights.log_softmax(-1)
    entropy = -torch.where(probabilities == 0, 0.0, probabilities * logs).sum(-1)
    return weights.logsumexp(-1), probabilities @ members, entropy


def exclude_one(case, utility):
    """The utilities with one entry excluded, where that leaves some member."""
    for entry in range(case.structure.size):
        if bool((case.members[:, entry] == 0).any()):
            masked = utility.clone()
            masked[..., entry] = -torch.inf
            return masked, entry
    return utility, None
