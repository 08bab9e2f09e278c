"""All members of a small structure, from its argmax alone."""

import torch


def members(structure, limit=65536, **like):
    """The members of X as 0 and 1, [count, size], in lexicographic order, the largest first.

    Entry after entry, both values are tried: some member begins like that if the best member for
    utilities 1 where it must be 1 and -inf where it must be 0 has all of these ones. So there are
    never more beginnings than members. `like`: dtype and device, as for torch.zeros.

    NotImplementedError where there are more than `limit`.
    """
    begun = torch.zeros(1, 0, dtype=torch.bool)
    for entry in range(structure.size):
        ones = torch.ones(len(begun), 1, dtype=torch.bool)
        tried = torch.stack([torch.cat([begun, value], 1) for value in (ones, ~ones)], 1)
        tried = tried.flatten(0, 1)
        utility = torch.zeros(len(tried), structure.size)
        utility[:, : entry + 1] = torch.where(tried, 1.0, -torch.inf)
        best = structure.argmax(utility)
        begun = tried[(best[:, : entry + 1] == tried).all(1)]
        if len(begun) > limit:
            raise NotImplementedError(
                f"{structure} has more members than the {limit} that are enumerated"
            )
    return begun.to(**like)
