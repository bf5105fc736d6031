"""`attune evaluate` and `attune choose-step`: measuring methods on a model. Free of Qt."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from editor.cli.operations import check_folder, runner_of
from editor.cli.output import ProgressPrinter, print_json, print_table, say
from editor.system.atomic import atomic_write
from editor.system.errors import DONE
from editor.system.folders import data_folder
from inference.chosen_steps import STEPS_FILE, store_step
from inference.errors import EditorError
from inference.evaluation import (
    attribute,
    concept,
    insert,
    leakage,
    picture,
    translate,
    translate_plot,
    two_attributes,
)
from inference.evaluation.choose_step import DEFAULT_PROMPTS as STEP_PROMPTS
from inference.evaluation.choose_step import DEFAULT_SEEDS as STEP_SEEDS
from inference.evaluation.choose_step import USUAL_SETS, curve_svg
from inference.evaluation.choose_step import choose_step as measured_curve
from inference.evaluation.parts import gather, part_of
from inference.evaluation.refine import (
    DEFAULT_PROMPTS,
    DEFAULT_SEEDS,
    HEADINGS,
    USUAL_METHODS,
    clip_judge,
    reconstruction,
    table_rows,
)
from inference.evaluation.refine import evaluate_refine as measured_table
from inference.evaluation.refine_sets import SETS
from inference.messages import listed
from inference.progress import Progress, Step


def evaluate(arguments: argparse.Namespace) -> int:
    """`attune evaluate SUITE`: figures into a JSON file, which a later run goes on from."""
    check_folder(arguments.report)
    part_of(arguments.part)  # before all work
    suite = _SUITES.get(arguments.suite)
    if suite is None:
        known = listed(_SUITES)
        raise EditorError(
            "There is no evaluation “{name}”.", "There are: {known}.", name=arguments.suite, known=known
        )
    if arguments.gather:
        gather(arguments.report, arguments.gather)
    return suite(arguments)


def _measured(
    arguments: argparse.Namespace, measure: Callable[..., dict[str, Any]], *, runner: Any = None, **asked: Any
) -> dict[str, Any]:
    """What a suite's own `measure` finds of what was asked, told about while it runs."""
    with closing(ProgressPrinter()) as printer:
        return measure(
            runner=runner or runner_of(arguments),
            model=arguments.model,
            json_path=arguments.report,
            part=part_of(arguments.part),
            report=_teller(printer),
            **asked,
        )


def evaluate_attribute(arguments: argparse.Namespace) -> int:
    """`attune evaluate attribute`: the summary as JSON on standard output."""
    record = _measured(
        arguments,
        attribute.evaluate_attribute,
        pairs=arguments.pairs or attribute.DEFAULT_PAIRS,
        attributes=tuple(arguments.attributes),
    )
    print_json(record["summary"])
    return DONE


def evaluate_leakage(arguments: argparse.Namespace) -> int:
    """`attune evaluate leakage`: the summary as JSON on standard output."""
    record = _measured(
        arguments,
        leakage.evaluate_leakage,
        pairs=_count(arguments.pairs, leakage.DEFAULT_PAIRS),
        attribute=arguments.attributes[0],
        variants=arguments.methods or tuple(leakage.VARIANTS),
    )
    print_json(record["summary"])
    return DONE


def evaluate_picture(arguments: argparse.Namespace) -> int:
    """`attune evaluate picture`: the summary as JSON on standard output."""
    record = _measured(
        arguments,
        picture.evaluate_picture,
        pictures=_count(arguments.pairs, picture.DEFAULT_PICTURES),
        ways=arguments.methods or picture.USUAL_ROWS,
    )
    print_json(record["summary"])
    return DONE


def evaluate_two(arguments: argparse.Namespace) -> int:
    """`attune evaluate two`: the summary as JSON on standard output."""
    record = _measured(
        arguments,
        two_attributes.evaluate_two,
        pairs=_count(arguments.pairs, two_attributes.DEFAULT_PAIRS),
        grounds=arguments.methods or two_attributes.GROUNDS,
    )
    print_json(record["summary"])
    return DONE


def evaluate_concept(arguments: argparse.Namespace) -> int:
    """`attune evaluate concept`: the summary as JSON on standard output."""
    asked = arguments.methods or concept.METHODS
    record = _measured(
        arguments,
        concept.evaluate_concept,
        subjects=_count(arguments.pairs, concept.DEFAULT_SUBJECTS),
        methods=[name for name in asked if name in concept.METHODS],
        rows=[name for name in asked if name not in concept.METHODS],
        scenes=_count(arguments.seeds, concept.SCENES),
    )
    print_json({"ceiling": record["ceiling"], **record["summary"]})
    return DONE


def evaluate_insert(arguments: argparse.Namespace) -> int:
    """`attune evaluate insert`: the table on standard output."""
    record = _measured(
        arguments,
        insert.evaluate_insert,
        cases=_count(arguments.pairs, insert.DEFAULT_CASES),
        rows=arguments.methods or (),
    )
    print_table(insert.table_rows(record["summary"]), insert.HEADINGS)
    return DONE


def evaluate_refine(arguments: argparse.Namespace) -> int:
    """`attune evaluate refine`: the table on standard error, its figures as JSON on standard output."""
    judges = _judges(arguments.detector, arguments.clip)
    runner = runner_of(arguments)
    values = _measured(
        arguments,
        measured_table,
        runner=runner,
        prompts=_count(arguments.pairs, DEFAULT_PROMPTS),
        seeds=_count(arguments.seeds, DEFAULT_SEEDS),
        methods=arguments.methods or USUAL_METHODS,
        sets=arguments.sets or SETS,
        overrides={} if arguments.steps is None else {"steps": arguments.steps},
        reconstruct=reconstruction(runner.backbone(arguments.model, Progress())),
        **judges,
    )
    print_table(table_rows(values["summary"]), HEADINGS)
    return DONE


def evaluate_translate(arguments: argparse.Namespace) -> int:
    """`attune evaluate translate`: the summary as JSON on standard output, the plot beside the file."""
    features: Any = None
    if arguments.dino is not None:
        from inference.metrics.structure import DinoKeys

        features = DinoKeys.load(arguments.dino)
    record = _measured(
        arguments,
        translate.evaluate_translate,
        count=_count(arguments.pairs, translate.DEFAULT_PAIRS),
        points=arguments.methods or translate.USUAL_POINTS,
        features=features,
    )
    plot = translate_plot.plot_png(record["summary"], f"{arguments.model}: structure distance, fidelity")
    with atomic_write(arguments.report.with_suffix(".png")) as file:
        file.write(plot)
    print_json(record["summary"])
    return DONE


def choose_step(arguments: argparse.Namespace) -> int:
    """`attune choose-step`: prints the curve and keeps the step."""
    output: Path = arguments.output or data_folder() / STEPS_FILE
    for path in (arguments.output, arguments.record, arguments.plot):
        if path is not None:
            check_folder(path)
    runner = runner_of(arguments)
    backbone = runner.backbone(arguments.model, Progress())
    printer = ProgressPrinter(quiet=arguments.json)
    try:
        curve = measured_curve(
            runner=runner,
            model=arguments.model,
            method=arguments.method,
            steps=_count(arguments.steps, backbone.defaults.steps),
            json_path=arguments.record,
            prompts=_count(arguments.pairs, STEP_PROMPTS),
            seeds=_count(arguments.seeds, STEP_SEEDS),
            sets=arguments.sets or USUAL_SETS,
            report=_teller(printer),
            **_judges(arguments.detector),
        )
    finally:
        printer.close()
    store_step(output, backbone.model_hash, arguments.method, curve.to_json())
    if arguments.plot is not None:
        title = f"{arguments.model}, {arguments.method}: TIAM by the step of the refinement"
        with atomic_write(arguments.plot) as file:
            file.write(curve_svg(curve, title).encode())
    if arguments.json:
        print_json({**curve.to_json(), "model": arguments.model, "outputs": [str(output.absolute())]})
        return DONE
    rows = [
        (str(step), *(f"{100 * values[index]:.1f} %" for values in curve.tiam.values()), f"{total:.2f}")
        for index, (step, total) in enumerate(zip(curve.tried, curve.sums, strict=True))
    ]
    print_table(rows, ("step", *curve.tiam, "sum"))
    say(f"Step {curve.chosen} of {curve.steps} is kept in {output}.")
    return DONE


def _judges(detector: str | None, clip: str | None = None) -> dict[str, Any]:
    """The user's own models in place of the built-in judges."""
    given: dict[str, Any] = {}
    if detector is not None:
        from inference.evaluation.refine_sets import photo_world
        from inference.metrics.detection import PhotoDetector

        found = PhotoDetector.load(detector)
        given |= {"detect": found, "world": photo_world(found.labels)}
    if clip is not None:
        from inference.metrics.clip import ClipSimilarity

        given["judge"] = clip_judge(ClipSimilarity.load(clip))
    return given


def _teller(printer: ProgressPrinter) -> Any:
    def tell(done: int, total: int, what: str) -> None:
        printer(Step(phase=what, done=done, total=total))

    return tell


def _count(given: int | None, usual: int) -> int:
    return usual if given is None else given


_SUITES = {
    "attribute": evaluate_attribute,
    "concept": evaluate_concept,
    "insert": evaluate_insert,
    "leakage": evaluate_leakage,
    "picture": evaluate_picture,
    "refine": evaluate_refine,
    "translate": evaluate_translate,
    "two": evaluate_two,
}
