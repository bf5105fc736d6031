"""The commands: each makes one step of a document's history.

Everything that can fail happens while a command is made, before it is pushed; a step holds the state before
and the state after, so that undo and redo only swap references.
"""

from editor.commands.base import Command, ReplaceNode, ReplaceState, SetSelection, push, translate
from editor.commands.properties import SetLayerProperty
from editor.commands.results import AddResult, ReplaceLayerResult, SetRecipe, SetSubjects, place_result
from editor.commands.tree import AddLayer, DuplicateLayer, RemoveLayer, ReorderLayer

__all__ = [
    "AddLayer",
    "AddResult",
    "Command",
    "DuplicateLayer",
    "RemoveLayer",
    "ReorderLayer",
    "ReplaceLayerResult",
    "ReplaceNode",
    "ReplaceState",
    "SetLayerProperty",
    "SetRecipe",
    "SetSelection",
    "SetSubjects",
    "place_result",
    "push",
    "translate",
]
