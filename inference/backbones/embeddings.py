"""Reading a text encoder's token table, and rows of its output that are replaced for one pass."""

from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor, nn


@contextmanager
def rows_replaced(encoder: Any, rows: Mapping[int, Tensor]) -> Generator[None]:
    """Let the token table of `encoder` put out `rows` [D] at these indices, counted through its sequences.

    The table is read as ever, and its weights stay as they are; gradients reach the rows.
    """
    handles: list[Any] = []
    if rows:
        index = torch.tensor(list(rows))
        vectors = torch.stack(list(rows.values()))

        def put(_module: nn.Module, _arguments: Any, output: Tensor) -> Tensor:
            flat = output.flatten(0, 1).index_copy(0, index.to(output.device), vectors.to(output))
            return flat.reshape_as(output)

        handles = [table.register_forward_hook(put) for table in _tables(encoder)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def table_of(encoder: Any) -> Tensor:
    """The token table [vocabulary, D] of `encoder`, where it is and without its gradient."""
    return encoder.get_input_embeddings().weight.detach()


def _tables(encoder: Any) -> list[nn.Embedding]:
    """All modules that read the token table: T5's has one that it shows and another, tied, that it uses."""
    weight = encoder.get_input_embeddings().weight
    modules = cast("Iterable[nn.Module]", encoder.modules())
    return [module for module in modules if isinstance(module, nn.Embedding) and module.weight is weight]
