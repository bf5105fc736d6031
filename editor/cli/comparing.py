"""`attune deltas compare`: deltas side by side on a sheet, with measures under each row. Free of Qt."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from editor.cli.operations import check_folder, runner_of
from editor.cli.output import ProgressPrinter, print_json, print_table, say
from editor.system.atomic import atomic_write
from editor.system.errors import DONE
from editor.system.folders import deltas_folder
from inference.content import DefinitionFile
from inference.definitions import Definition, read_definition
from inference.deltas import DeltaLibrary, delta_from_bytes, delta_to_bytes, read_delta_file
from inference.errors import EditorError
from inference.evaluation.compare_deltas import MEASURES, USUAL_SCALES, Row, compare_deltas, summarise
from inference.operations import LearnDelta
from inference.progress import Progress, Step

_GAP = 6  # pixels between pictures
_TEXT = 12  # size of the letters
_PAPER, _INK = (250, 250, 250), (30, 30, 30)


def compare(arguments: argparse.Namespace) -> int:
    """A sheet with a row for each prompt, seed and delta; the measures as a table or JSON."""
    if arguments.output is not None:
        if arguments.output.suffix.lower() != ".png":
            raise EditorError("The sheet is a .png file, not “{name}”.", name=arguments.output.name)
        check_folder(arguments.output)
    deltas, cost = _deltas(arguments.deltas)
    scales = arguments.scales or USUAL_SCALES
    rows, losses = _measured(arguments, deltas, scales)
    told: dict[str, dict[str, Any]] = {
        name: {
            **found,
            "evaluations": cost[name],
            **({"held_out_loss": losses[name]} if losses else {}),
        }
        for name, found in summarise(rows).items()
    }
    positions = sorted({*scales, 0.0})
    if arguments.output is not None:
        with atomic_write(arguments.output) as file:
            sheet(rows, positions).save(file, format="PNG")
    if arguments.json:
        outputs = [] if arguments.output is None else [str(arguments.output.absolute())]
        print_json(
            {
                "model": arguments.model,
                "positions": positions,
                "rows": [row.to_json() for row in rows],
                "summary": told,
                "outputs": outputs,
            }
        )
        return DONE
    _print_measures(told)
    if arguments.output is not None:
        say(str(arguments.output))
    return DONE


def _measured(
    arguments: argparse.Namespace, deltas: Mapping[str, bytes], scales: Sequence[float]
) -> tuple[list[Row], dict[str, float]]:
    """The rows of the sheet, and the held-out losses where a definition tells what is to be learnt."""
    detect = None
    if arguments.attribute is not None:
        from inference.evaluation.attribute import reading
        from inference.evaluation.judging import shipped_detector

        reading(arguments.attribute)
        detect = shipped_detector()
    definition = None if arguments.definition is None else read_definition(arguments.definition)
    if definition is not None and definition.lacks_ends:
        raise EditorError(
            "The definition has a pair whose ends are the same.",
            "Say what “positive” and “negative” are, or leave --definition out.",
        )
    printer = ProgressPrinter(quiet=arguments.json)
    runner = runner_of(arguments)
    try:
        rows = compare_deltas(
            runner=runner,
            model=arguments.model,
            deltas=deltas,
            prompts=arguments.prompt,
            seeds=arguments.seeds,
            subject=arguments.subject,
            scales=scales,
            only_subject=arguments.only_subject,
            steps=arguments.steps,
            attribute=arguments.attribute or "",
            detect=detect,
            report=lambda done, total, what: printer(Step(phase=what, done=done, total=total)),
        )
        losses = {} if definition is None else _losses(runner, arguments.model, definition, deltas)
    finally:
        printer.close()
    return rows, losses


def _print_measures(told: Mapping[str, Mapping[str, Any]]) -> None:
    """A line for each delta; the span and the loss where they were measured."""
    first = next(iter(told.values()))
    spans, losses = "span" in first, "held_out_loss" in first
    print_table(
        [
            (
                name,
                *(f"{found[measure]['mean']:.3f}" for measure in MEASURES),
                *((f"{found['span']['mean']:.3f}",) if spans else ()),
                *((f"{found['held_out_loss']:.4f}",) if losses else ()),
                f"{found['evaluations']}",
            )
            for name, found in told.items()
        ],
        (
            "Delta",
            *(measure.capitalize() for measure in MEASURES),
            *(("Span",) if spans else ()),
            *(("Loss",) if losses else ()),
            "Evaluations",
        ),
    )


def _losses(runner: Any, model: str, definition: Definition, deltas: Mapping[str, bytes]) -> dict[str, float]:
    """What each delta misses of what the definition's words do, at held-out points; 1 is doing nothing."""
    import torch

    from inference.methods.learning.held_out import HeldOut

    backbone = runner.backbone(model, Progress())
    parameters = LearnDelta(definition=DefinitionFile("0" * 64), method="learned")
    held_out = HeldOut(backbone, definition, parameters)
    widths = backbone.token_widths
    return {
        name: held_out.loss(
            {
                encoder: torch.tensor(vector)
                for encoder, vector in delta_from_bytes(content, name).fitted(model, widths).vectors.items()
            }
        )
        for name, content in deltas.items()
    }


def sheet(rows: Sequence[Row], positions: Sequence[float]) -> Image.Image:
    """Positions from left to right, a row for each comparison, its name above and its measures below."""
    font = ImageFont.load_default(_TEXT)
    line = _TEXT + _GAP
    height, width = rows[0].images[0].shape[:2]
    step = height + 3 * line
    columns = len(positions) * (width + _GAP) + _GAP
    picture = Image.new("RGB", (columns, line + len(rows) * step), _PAPER)
    draw = ImageDraw.Draw(picture)
    for column, position in enumerate(positions):
        draw.text((_GAP + column * (width + _GAP), _GAP // 2), f"{position:+g}", _INK, font)
    for number, row in enumerate(rows):
        top = line + number * step
        draw.text((_GAP, top), f"{row.delta} · {row.prompt} · {row.seed}", _INK, font)
        for column, image in enumerate(row.images):
            place = (_GAP + column * (width + _GAP), top + line)
            picture.paste(Image.fromarray(np.ascontiguousarray(image[..., :3])), place)
        draw.text((_GAP, top + line + height + _GAP // 2), _told(row), _INK, font)
    return picture


def _told(row: Row) -> str:
    values = "  ".join(f"{value:.2f}" for value in row.values)
    measured = f"change {row.change:.3f}   outside {row.outside:.3f}   unevenness {row.unevenness:.2f}"
    return f"{measured}   {values}" if values else measured


def _deltas(names: Sequence[str]) -> tuple[dict[str, bytes], dict[str, int]]:
    """Files, or keys of the library: their contents by what they are called, and what learning them took."""
    library = DeltaLibrary.standard(deltas_folder())
    found: dict[str, bytes] = {}
    cost: dict[str, int] = {}
    for name in names:
        path = Path(name)
        if path.is_file():
            delta = read_delta_file(path)
        else:
            known = {info.key: info for info in library.list() if info.path is not None}
            if name not in known:
                raise EditorError(
                    "“{name}” is no file and no delta of the library.",
                    "“attune deltas list” shows what there is.",
                    name=name,
                )
            delta = library.load(known[name])
        called = path.stem if path.is_file() and path.stem not in found else name
        found[called] = delta_to_bytes(delta)
        cost[called] = delta.info.evaluations
    return found, cost
