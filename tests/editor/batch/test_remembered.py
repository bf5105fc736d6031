"""The window's last batch on disk."""

from __future__ import annotations

import os
from pathlib import Path

from editor.batch.plan import Selection
from editor.batch.remembered import Order, remember, remembered
from tests.editor.batch.pictures import REDRAW, recipe


def test_an_order_is_there_again(tmp_path: Path) -> None:
    order = Order(
        source=tmp_path / os.fsdecode(b"caf\xe9"),
        target=tmp_path / "out",
        recipe=recipe(REDRAW, seed="path", amount=30),
        selection=Selection(recursive=True, without=("*.png",)),
        pattern="{name}-{seed}",
        one_core=True,
    )
    remember(tmp_path / "kept", order)
    assert remembered(tmp_path / "kept") == order


def test_what_cannot_be_read_is_not_there(tmp_path: Path) -> None:
    assert remembered(tmp_path / "nothing") is None
    order = Order(source=tmp_path, target=tmp_path / "out", recipe=recipe())
    remember(tmp_path / "kept", order)
    for content in (b"", b"[]", b"{}", b'{"source": 1, "target": 2, "recursive": 3}'):
        (tmp_path / "kept" / "batch.json").write_bytes(content)
        assert remembered(tmp_path / "kept") is None
