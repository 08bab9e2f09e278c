"""lp-sparsemap, of which PyPI has binaries for Python 3.8 and 3.9 alone, in a process of its own: run
by lp_sparsemap.py under such a Python.

Reads one JSON object a line. {"kind": "matching", "utility": "u.npy", "cotangent": "g.npy"} is a new
work, answered by its number. {"solve": NUMBER, "backward": true} solves its instances one after the
other and is answered when that is done; {"save": NUMBER, "to": "x.npy", "gradient": "g.npy"} then
writes what came out. Arrays are [instance, ...]; a chain's pairs are "pairs", [instance, ...] too.
"""

import json
import sys
import warnings

import numpy as np

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it misses PyTorch, which isn't needed
    from lpsmap import Budget, DepTree, FactorGraph, Sequence, Xor
    from lpsmap.ad3qp.factor_graph import PFactorGraph


def chain(graph, unary, pairs):
    graph.add(Sequence(graph.variable_from(unary), pairs))


def correlated_k_subset(graph, unary, pairs, k):
    """A chain of two states, out and in; at most k are in."""
    states = graph.variable_from(unary)
    graph.add(Sequence(states, pairs))
    graph.add(Budget(states[:, 1], k))


def arborescence(graph, unary):
    graph.add(DepTree(graph.variable_from(unary), packed=True))


def projective_tree(graph, unary):
    graph.add(DepTree(graph.variable_from(unary), packed=True, projective=True))


def matching(graph, unary):
    pairs = graph.variable_from(unary)
    for i in range(len(unary)):
        graph.add(Xor(pairs[i]))
        graph.add(Xor(pairs[:, i]))


class Solved(FactorGraph):
    """FactorGraph.solve forgets the utilities of pairs; this one knows them, and the gradient."""

    def solve(self):
        self._graph = PFactorGraph()
        offsets, variables, utility = self._make_variables(self._graph)
        additional = self._make_factors(self._graph, offsets, variables)
        self._graph.set_log_potentials(utility)
        self._graph.set_all_additionals([np.atleast_1d(a) for a in additional])
        return np.array(self._graph.solve_qp_ad3()[1])

    def vjp(self, cotangent):
        out = np.empty_like(cotangent)
        self._graph.jacobian_vec(cotangent, out)
        return out


KINDS = {f.__name__: f for f in (chain, correlated_k_subset, arborescence, projective_tree, matching)}


class Work:
    def __init__(self, request):
        self._add = KINDS[request["kind"]]
        self._more = [request["k"]] if "k" in request else []
        names = [name for name in ("utility", "pairs") if name in request]
        arrays = [np.load(request[name]).astype(np.float64) for name in names]
        self._instances = list(zip(*arrays))
        self._cotangents = np.load(request["cotangent"]).astype(np.float64)

    def solve(self, backward):
        self.results, self.gradients = [], []
        for arrays, cotangent in zip(self._instances, self._cotangents):
            graph = Solved()
            self._add(graph, *arrays, *self._more)
            self.results.append(graph.solve())
            if backward:
                self.gradients.append(graph.vjp(cotangent.ravel()))

    def save(self, result, gradient):
        np.save(result, self.results)
        np.save(gradient, self.gradients)


def main():
    works = []
    for line in sys.stdin:
        request = json.loads(line)
        if "kind" in request:
            works.append(Work(request))
        elif "solve" in request:
            works[request["solve"]].solve(request["backward"])
        else:
            works[request["save"]].save(request["to"], request["gradient"])
        print(len(works) - 1, flush=True)


if __name__ == "__main__":
    main()
