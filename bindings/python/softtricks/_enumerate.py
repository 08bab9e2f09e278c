"""All members of a small structure, from its argmax alone."""

import functools

import numpy
import softtricks


@functools.lru_cache(maxsize=16)
def members(structure, limit=65536):
    """The members of X, of a structure of any front end, as a Boolean array of NumPy, [count, size], in
    lexicographic order, the largest first.

    Entry after entry, both values are tried: some member begins like that if the best member for
    utilities 1 where it must be 1 and -inf where it must be 0 has all of these ones. So there are
    never more beginnings than members.

    NotImplementedError where there are more than `limit`.
    """
    counted = getattr(softtricks, type(structure).__name__)(*structure.shape)
    begun = numpy.zeros((1, 0), bool)
    for entry in range(counted.size):
        ones = numpy.ones((len(begun), 1), bool)
        tried = numpy.stack([numpy.hstack([begun, value]) for value in (ones, ~ones)], 1)
        tried = tried.reshape(-1, entry + 1)
        utility = numpy.zeros((len(tried), counted.size), numpy.float32)
        utility[:, : entry + 1] = numpy.where(tried, 1.0, -numpy.inf)
        best = counted.argmax(utility)
        begun = tried[(best[:, : entry + 1] == tried).all(1)]
        if len(begun) > limit:
            raise NotImplementedError(
                f"{structure} has more members than the {limit} that are enumerated"
            )
    return begun
