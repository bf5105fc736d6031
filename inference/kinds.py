"""One table of parameter types: how each is given in the terminal, edited in a form, and sized for a run.

A new type of parameter is one row here; the command line, the window's forms and the runner read it.
"""

import typing
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from inference.content import ConceptFile, DefinitionFile, DeltaFile, Mask, Picture
from inference.operations import LoraUse
from inference.parameters import ParameterField


class Argument(Enum):
    """How the command line takes a value."""

    VALUE = "value"  # --steps 20
    SWITCH = "switch"  # --shared, --no-shared
    FILE = "file"  # --image IN.png
    FILES = "files"  # --images A.png B.png


class Size(Enum):
    """What a run does with the size of a picture."""

    NONE = "none"  # it has none
    RUN = "run"  # brought to the size at which the model works
    OWN = "own"  # handed over as it is


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A row of the table; `metavar` is a word of the help.

    `editor` is a name in `widgets.forms.editors`; with "" forms leave the parameter out.
    """

    argument: Argument
    editor: str
    metavar: str = "VALUE"
    size: Size = Size.NONE


CHOICE: Final = Kind(argument=Argument.VALUE, editor="choice")
"""Whatever has declared choices."""

KINDS: Final[dict[Any, Kind]] = {
    bool: Kind(argument=Argument.SWITCH, editor="switch"),
    int: Kind(argument=Argument.VALUE, editor="whole number", metavar="N"),
    float: Kind(argument=Argument.VALUE, editor="number", metavar="F"),
    str: Kind(argument=Argument.VALUE, editor="text", metavar="TEXT"),
    Picture: Kind(argument=Argument.FILE, editor="picture", metavar="IN", size=Size.RUN),
    Mask: Kind(argument=Argument.FILE, editor="mask", metavar="MASK", size=Size.RUN),
    tuple[Picture, ...]: Kind(argument=Argument.FILES, editor="pictures", metavar="IN", size=Size.OWN),
    DeltaFile: Kind(argument=Argument.FILE, editor="file", metavar="DELTA.safetensors"),
    ConceptFile: Kind(argument=Argument.FILE, editor="file", metavar="CONCEPT.safetensors"),
    # no editor: the window finds them by the words of the prompt
    tuple[ConceptFile, ...]: Kind(argument=Argument.FILES, editor="", metavar="CONCEPT.safetensors"),
    # no editor: the window has a section for them
    tuple[LoraUse, ...]: Kind(argument=Argument.VALUE, editor="", metavar="NAME:STRENGTH"),
    DefinitionFile: Kind(argument=Argument.FILE, editor="file", metavar="FILE.toml"),
}


def kind_of(item: ParameterField) -> Kind:
    """The row of a declared parameter; a KeyError is a type that has none, a defect of ours."""
    return CHOICE if item.declaration.choices else KINDS[item.type]


def content_type(item: ParameterField) -> Any:
    """The type of `inference.content` that a parameter takes one or several of; None for plain values."""
    kind = kind_of(item)
    if kind.argument is Argument.FILE:
        return item.type
    return typing.get_args(item.type)[0] if kind.argument is Argument.FILES else None
