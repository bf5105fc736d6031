"""The last batch of the window, kept on disk: after a restart it is there again, and goes on."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from editor.batch.plan import USUAL_PATTERN, Selection
from editor.batch.recipe import BatchRecipe, read_recipe, save_recipe
from editor.system.atomic import atomic_write
from inference.errors import EditorError
from inference.files import read_at_most
from inference.messages import Message
from inference.values import fields, flag, items, json_object, text

_RECIPE, _ORDER = "recipe.json", "batch.json"
_LARGEST_BYTES = 2**20


@dataclass(frozen=True, kw_only=True)
class Order:
    """What the window asks for: everything but the recipe is a command line's."""

    source: Path
    target: Path
    recipe: BatchRecipe
    selection: Selection = field(default_factory=Selection)
    pattern: str = USUAL_PATTERN
    one_core: bool = False


def remember(folder: Path, order: Order) -> None:
    """Keep an order in a folder of its own.

    Raises:
        WritingError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    save_recipe(order.recipe, folder / _RECIPE)
    values: dict[str, Any] = {
        "version": 1,
        "source": str(order.source),
        "target": str(order.target),
        "recursive": order.selection.recursive,
        "only": list(order.selection.only),
        "without": list(order.selection.without),
        "names": order.pattern,
        "one_core": order.one_core,
    }
    with atomic_write(folder / _ORDER) as file:
        file.write(json.dumps(values).encode())  # surrogates of odd paths as their numbers


def remembered(folder: Path) -> Order | None:
    """The order that was kept; None without one, or if it cannot be read any more."""
    with suppress(EditorError, OSError, ValueError, KeyError):
        given = json_object(read_at_most(folder / _ORDER, _LARGEST_BYTES), Message("batch"))
        names = fields(given, "batch")
        return Order(
            source=Path(str(names["source"])),
            target=Path(str(names["target"])),
            recipe=read_recipe(folder / _RECIPE),
            selection=Selection(
                recursive=flag(names.get("recursive", False), "recursive"),
                only=tuple(text(one, "only") for one in items(names.get("only", []), "only")),
                without=tuple(text(one, "without") for one in items(names.get("without", []), "without")),
            ),
            pattern=text(names.get("names", USUAL_PATTERN), "names"),
            one_core=flag(names.get("one_core", False), "one_core"),
        )
    return None
