#pragma once

namespace softtricks::bench {

/// Times works on request, so that another program can let them take turns with its own.
///
/// Reads one JSON object a line from standard input. A new work:
///   {"structure": "one_hot", "shape": [128], "verbs": ["relax", "relax_vjp"],
///    "utility": "u.npy", "cotangent": "g.npy", "threads": 1,
///    "regularizer": "squared_norm", "temperature": 0.5, "perturbation": "gumbel"}
/// is answered by its number. With a perturbation, utilities are drawn anew around "utility" and
/// the gradient goes on to there. {"time": NUMBER} runs a work once and is answered by its seconds.
void serve();

}  // namespace softtricks::bench
