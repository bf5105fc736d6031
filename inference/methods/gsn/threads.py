"""How many of the processor's cores an update is worth.

A pass through a small network is thousands of short calls. Sharing each of them out wakes other threads,
which costs more than it saves.
"""

from collections.abc import Generator
from contextlib import contextmanager

import torch

# torch itself shares out element-wise work from so many numbers on
_WORTH_SHARING = 2**15


@contextmanager
def threads_for(numbers: int | None) -> Generator[None]:
    """One thread if the layers' outputs have too few `numbers` to share; as many as before afterwards.

    Decided by size alone and not by the clock, so that the same request keeps giving the same bytes.
    """
    before = torch.get_num_threads()
    if numbers is None or numbers >= _WORTH_SHARING or before == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
