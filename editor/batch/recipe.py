"""A recipe: the steps that a batch does to every picture, as a file that can be shared.

See `docs/formats/batch-recipe.md`.

    recipe = read_recipe(Path("look.json"))
    recipe.steps[0]

What it needs beside itself (a model, deltas) is looked for by `editor.batch.needs` before anything is
computed.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias

from editor.adjustments import ADJUSTMENTS, kind_of
from editor.batch.operation_step import OperationStep
from editor.batch.shaping import Crop, Profile, Size
from editor.document.export_options import ExportOptions
from editor.formats import format_for_writing
from inference.content import Contents
from inference.errors import EditorError
from inference.files import atomic_write, read_at_most
from inference.messages import Message, listed
from inference.parameters import Parameters
from inference.reasons import reason_of
from inference.values import (
    fields,
    flag,
    items,
    json_object,
    mended_text,
    number,
    text,
    unknown_names,
    whole,
)

VERSION = 1
FROM_PATH = "path"
"""In place of a seed: each file's own, worked out from where it lies in its folder."""

MOST_AMOUNT = 150.0
MOST_STEPS = 200
_LONGEST_NAME = 200
_LONGEST_MODEL = 4096
_LARGEST_BYTES = 16 * 2**20
_LARGEST_SEED = 2**32 - 1
_FIELDS = ("version", "name", "model", "model_hash", "seed", "amount", "steps", "export")
_SHAPES: dict[str, type[Parameters]] = {"size": Size, "crop": Crop, "profile": Profile}
_OPTIONS_HERE = ("format", "quality", "like_original", "lossless", "subsampling", "progressive", "effort",
                 "tiff_compression", "metadata", "location", "depth", "profile")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class AdjustmentStep:
    """One of `ADJUSTMENTS` with its settings."""

    settings: Parameters
    on: bool = True

    def to_json(self) -> dict[str, Any]:
        return {"adjustment": kind_of(self.settings).name, "settings": self.settings.to_json()}


@dataclass(frozen=True, kw_only=True)
class ShapeStep:
    """What changes the frame, the number of pixels or the colour space: `Size`, `Crop` or `Profile`."""

    settings: Size | Crop | Profile
    on: bool = True

    def to_json(self) -> dict[str, Any]:
        name = next(key for key, kind in _SHAPES.items() if isinstance(self.settings, kind))
        return {name: self.settings.to_json()}


Step: TypeAlias = OperationStep | AdjustmentStep | ShapeStep


@dataclass(frozen=True, kw_only=True)
class BatchRecipe:
    """See the module's text.

    Args:
        model: a name of the catalogue; "" where no step needs one.
        model_hash: pins the model's weights, or "".
        seed: of every file, or None: each has its own, by its relative path.
        amount: percent of the whole recipe, 0..150.
        contents: masks and files that steps name, by their hashes.
    """

    name: str = ""
    model: str = ""
    model_hash: str = ""
    seed: int | None = 0
    amount: float = 100.0
    steps: tuple[Step, ...] = ()
    export: ExportOptions = field(default_factory=ExportOptions)
    contents: Contents = field(default_factory=dict[str, Any], compare=False, repr=False)

    @property
    def active(self) -> tuple[Step, ...]:
        """The steps that are carried out."""
        return tuple(step for step in self.steps if step.on)

    @property
    def needs_model(self) -> bool:
        return self.amount > 0 and any(isinstance(step, OperationStep) for step in self.active)

    def seed_of(self, relative: PurePosixPath) -> int:
        """The seed of a file at this place in its folder: no matter in which order, or on which machine."""
        if self.seed is not None:
            return self.seed
        return int.from_bytes(hashlib.sha256(os.fsencode(relative)).digest()[:4])

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `recipe_from_json` gives the same recipe back, but for its contents."""
        steps = [step.to_json() | ({} if step.on else {"on": False}) for step in self.steps]
        usual = ExportOptions()
        changed = {k: v for k, v in self.export.to_json().items() if v != getattr(usual, k)}
        return {
            "version": VERSION,
            "name": self.name,
            "model": self.model,
            "model_hash": self.model_hash,
            "seed": FROM_PATH if self.seed is None else self.seed,
            "amount": self.amount,
            "steps": steps,
            "export": changed,
        }

    def fingerprint(self, model_hash: str = "", assets: Sequence[str] = ()) -> str:
        """What tells two recipes apart that would give other pictures: 32 hex digits of a SHA-256.

        Args:
            model_hash: of the weights that are used.
            assets: hashes of what is found for the steps, such as deltas.
        """
        values = {
            "seed": FROM_PATH if self.seed is None else self.seed,
            "amount": self.amount,
            "steps": [
                step.canonical() if isinstance(step, OperationStep) else step.to_json()
                for step in self.active
            ],
            "export": self.export.to_json(),
            "model_hash": model_hash,
            "assets": sorted(assets),
        }
        content = json.dumps(values, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(content.encode()).hexdigest()[:32]


def recipe_from_json(values: object, folder: Path | None = None) -> BatchRecipe:
    """Read `to_json`'s values; files may hold anything.

    Args:
        folder: where the files lie that steps name; None: a recipe with such files is refused.

    Raises:
        EditorError: what is wrong, what is allowed.
    """
    given = fields(values, Message("The recipe"))
    if "steps" not in given and {"request", "subjects"} & set(given):
        raise EditorError(
            "This is the recipe of one picture, not of a batch.",
            "A batch's recipe has version, name, model, seed and steps.",
        )
    version = whole(given.get("version"), Message("The recipe's version"), 1)
    if version > VERSION:
        raise EditorError(
            "The recipe has version {version}; this Attune reads up to {known}.",
            "Open it with a newer Attune.",
            version=version,
            known=VERSION,
        )
    unknown = unknown_names(given, _FIELDS)
    if unknown:
        raise EditorError(
            "The recipe has an unknown field {unknown}.",
            "Known are: {known}.",
            unknown=listed(unknown),
            known=listed(_FIELDS),
        )
    contents: dict[str, Any] = {}
    steps = tuple(
        _step(item, index, folder, contents)
        for index, item in enumerate(items(given.get("steps"), Message("The recipe's steps"), MOST_STEPS), 1)
    )
    model = text(given.get("model", ""), Message("The recipe's model"), _LONGEST_MODEL)
    recipe = BatchRecipe(
        name=mended_text(given.get("name", ""), Message("The recipe's name"), _LONGEST_NAME),
        model=model,
        model_hash=text(given.get("model_hash", ""), Message("The recipe's model"), _LONGEST_MODEL),
        seed=_seed(given.get("seed", 0)),
        amount=number(given.get("amount", 100.0), Message("The recipe's amount"), 0, MOST_AMOUNT),
        steps=steps,
        export=_export(given.get("export", {})),
        contents=contents,
    )
    if any(isinstance(step, OperationStep) for step in recipe.active) and not model:
        raise EditorError("The recipe names no model.", "Its steps need one: “model”, such as mini-sd1.")
    return recipe


def read_recipe(path: Path) -> BatchRecipe:
    """The recipe in a file.

    Raises:
        EditorError: there is none, or it is no recipe that this Attune can carry out.
    """
    try:
        content = read_at_most(path, _LARGEST_BYTES)
    except FileNotFoundError as error:
        raise EditorError("There is no file “{path}”.", "Check the name.", path=path) from error
    except OSError as error:
        raise EditorError("“{path}” cannot be read: {reason}.", path=path, reason=reason_of(error)) from error
    return recipe_from_json(json_object(content, Message("recipe")), path.absolute().parent)


def save_recipe(recipe: BatchRecipe, path: Path) -> None:
    """Write a recipe; the files that it needs lie beside it, in a folder of its name.

    Raises:
        WritingError: it cannot be written.
    """
    names: dict[str, str] = {}
    steps: list[OperationStep | AdjustmentStep | ShapeStep] = []
    folder = path.with_name(f"{path.stem}.files")
    for step in recipe.steps:
        if isinstance(step, OperationStep):
            for key, ending in step.assets():
                names.setdefault(key, f"{key[:16]}{ending}")
            step = step.with_files({key: f"{folder.name}/{name}" for key, name in names.items()})
        steps.append(step)
    for key, name in names.items():
        blob = recipe.contents.get(key)
        if blob is None:
            raise EditorError("The recipe lacks what belongs to it: {what}.", what=name)
        with atomic_write(folder / name, parents=True) as file:
            file.write(blob if isinstance(blob, bytes) else _as_png(blob))
    values = replace(recipe, steps=tuple(steps)).to_json()
    with atomic_write(path) as file:
        file.write(json.dumps(values, indent=2, ensure_ascii=False).encode() + b"\n")


def _as_png(pixels: Any) -> bytes:
    from io import BytesIO

    from PIL import Image

    into = BytesIO()
    Image.fromarray(pixels).save(into, "PNG")
    return into.getvalue()


def _seed(value: object) -> int | None:
    if value == FROM_PATH:
        return None
    if isinstance(value, str):
        raise EditorError(
            "The recipe's seed is “{seed}”.",
            "It is a whole number from 0 to {most}, or “path”: each file its own, by where it lies.",
            seed=value[:40],
            most=_LARGEST_SEED,
        )
    return whole(value, Message("The recipe's seed"), 0, _LARGEST_SEED)


def _step(value: object, number: int, folder: Path | None, contents: dict[str, Any]) -> Step:
    """One step; what is wrong is told with its number.

    Raises:
        EditorError: as said.
    """
    try:
        given: Mapping[str, Any] = fields(value, Message("It"))
        on = flag(given.get("on", True), "on")
        kinds = [key for key in ("operation", "adjustment", *_SHAPES) if key in given]
        if len(kinds) != 1:
            raise EditorError(
                Message("It is of no kind that is known here."),
                "A step has one of: {known}.",
                known=listed(["operation", "adjustment", *_SHAPES]),
            )
        kind = kinds[0]
        allowed = {"on", kind, *{"operation": ["parameters"], "adjustment": ["settings"]}.get(kind, [])}
        unknown = unknown_names(given, allowed)
        if unknown:
            raise EditorError(
                "It has an unknown field {unknown}.",
                "Known are: {known}.",
                unknown=listed(unknown),
                known=listed(sorted(allowed)),
            )
        if kind == "operation":
            return OperationStep.from_json(given[kind], given.get("parameters", {}), on, folder, contents)
        if kind == "adjustment":
            name = text(given[kind], "adjustment", _LONGEST_NAME)
            if name not in ADJUSTMENTS:
                raise EditorError(
                    "Unknown adjustment “{name}”.",
                    "Known are: {known}.",
                    name=name[:40],
                    known=listed(ADJUSTMENTS),
                )
            settings = ADJUSTMENTS[name].settings.from_json(given.get("settings", {}))
            return AdjustmentStep(settings=settings, on=on)
        shape: Any = _SHAPES[kind].from_json(given[kind])
        return ShapeStep(settings=shape, on=on)
    except EditorError as error:
        raise EditorError(
            Message("Step {number} of the recipe: {what}", number=number, what=error.sentence), error.advice
        ) from error


def _export(value: object) -> ExportOptions:
    """How results are written; their size is a step.

    Raises:
        EditorError: an unknown option or format.
    """
    given = dict(fields(value, Message("The recipe's export")))
    unknown = unknown_names(given, _OPTIONS_HERE)
    if unknown:
        raise EditorError(
            "The recipe's export has an unknown option {unknown}.",
            "Known are: {known}. Size and crop are steps.",
            unknown=listed(unknown),
            known=listed(_OPTIONS_HERE),
        )
    options = ExportOptions.from_json(given)
    check_format(options.format)
    return options


def check_format(name: str) -> None:
    """Refuse what batches cannot write.

    Raises:
        EditorError: no such format, or one that keeps layers.
    """
    if not name:
        return
    if format_for_writing(Path("picture"), name).keeps_layers:
        raise EditorError(
            "A batch writes flat pictures, not projects.", "Choose PNG, TIFF, JPEG, WebP or AVIF."
        )
