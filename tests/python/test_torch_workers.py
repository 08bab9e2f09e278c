"""softtricks.torch in the worker processes of a DataLoader, and among torch's settings."""

import pytest
import torch
from torch_support import st


class Trees(torch.utils.data.Dataset):
    """Item i holds utilities made from i, and what the library makes of them where it is asked for."""

    tree = st.SpanningTree(8)

    def __len__(self):
        return 6

    def __getitem__(self, index):
        utility = torch.randn(64, self.tree.size, generator=torch.Generator().manual_seed(index))
        return utility, self.tree.marginals(utility), self.tree.sample(utility, seed=index)


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_workers_give_what_the_main_process_gives(start):
    data = Trees()
    expected = [data[i] for i in range(len(data))]  # the library has been used before they start
    loader = torch.utils.data.DataLoader(
        data, batch_size=None, num_workers=1 if start == "spawn" else 2,
        multiprocessing_context=start, timeout=120,
    )
    for got, wanted in zip(loader, expected, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(got, wanted, strict=True))


def test_deterministic_mode_and_threads():
    tree, utility = st.SpanningTree(8), torch.randn(300, 28)
    expected = tree.marginals(utility), tree.sample(utility, seed=1)
    before = torch.get_num_threads()
    torch.use_deterministic_algorithms(True)
    try:
        torch.set_num_threads(2)
        for a, b in zip(expected, (tree.marginals(utility), tree.sample(utility, seed=1)), strict=True):
            assert torch.equal(a, b)
    finally:
        torch.use_deterministic_algorithms(False)
        torch.set_num_threads(before)
