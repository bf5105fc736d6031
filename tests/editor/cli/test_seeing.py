"""`attune see`, and the sheet that it writes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from editor.cli import seeing
from editor.cli.parser import build_parser
from editor.generating.seen import seen_pictures, sheet
from inference.errors import EditorError
from inference.progress import Measurements
from inference.request import Request, Result

MAPS = {
    f"seen/{step}/{place}/{channel}": np.full((2, 3), value, np.float32)
    for step in (9, 0)
    for place in ("up_blocks.1.resnets.0", "a.attn1")
    for channel, value in enumerate((1.0, 0.5, 0.0))
}


def test_maps_become_pictures_by_step_and_place() -> None:
    seen = seen_pictures({**MAPS, "attention/0-3": np.zeros((2, 2), np.float32)})
    assert list(seen) == [0, 9]
    assert list(seen[0]) == ["up_blocks.1.resnets.0", "a.attn1"]
    assert seen[0]["a.attn1"].shape == (2, 3, 3)
    assert seen[9]["a.attn1"][1, 2].tolist() == [255, 128, 0]


def test_the_sheet_has_a_cell_for_each(qapp: object) -> None:
    found = sheet(seen_pictures(MAPS))
    colours = (found.reshape(-1, 3) == (255, 128, 0)).all(1).sum()
    assert colours == 4 * 96 * 96


def test_the_command_writes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    asked: list[Request] = []

    class Runner:
        def run(self, request: Request, contents: Any, progress: Any) -> Result:
            asked.append(request)
            return Result(request=request, images=(), maps=MAPS, measured=Measurements())

    monkeypatch.setattr(seeing, "runner_of", lambda _: Runner())
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (8, 8, 3), np.uint8)).save(tmp_path / "in.png")
    target = tmp_path / "out.png"
    given = ["see", "--image", str(tmp_path / "in.png"), "--looks", "3", "-o", str(target), "--json"]
    assert seeing.see(build_parser().parse_args(given)) == 0
    with Image.open(target) as written:
        assert written.width > 96
    assert asked[0].parameters.looks == 3  # type: ignore[attr-defined]
    assert '"steps": [' in capsys.readouterr().out
    missing = build_parser().parse_args([*given[:-2], str(tmp_path / "no" / "out.png")])
    with pytest.raises(EditorError):
        seeing.see(missing)
