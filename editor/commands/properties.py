"""Commands that set a field of a node."""

from __future__ import annotations

from typing import Any

from editor.commands.base import Command, translate
from editor.document.document import Document
from editor.edits.nodes import refuse_fixed, refuse_locked
from editor.layers.layer import BlendMode
from inference.errors import EditorError
from inference.messages import listed
from inference.parameters import N_

_PROPERTY_TEXTS = {
    "name": N_("Commands", "Rename layer to “{value}”"),
    "visible": N_("Commands", "Show or hide layer “{name}”"),
    "opacity": N_("Commands", "Opacity of “{name}” to {value}"),
    "blend_mode": N_("Commands", "Blend “{name}” as {value}"),
    "locked": N_("Commands", "Lock or unlock layer “{name}”"),
    "x": N_("Commands", "Move “{name}”"),
    "y": N_("Commands", "Move “{name}”"),
}


class SetLayerProperty(Command):
    """Set one field of a layer: name, visible, opacity, blend_mode, locked, x or y.

    `merge_key` joins the steps of one gesture (one drag of the opacity slider); take a new one for each.
    """

    def __init__(self, document: Document, layer_id: str, name: str, value: Any, merge_key: str = "") -> None:
        if name not in _PROPERTY_TEXTS:
            raise EditorError(
                "A layer has no property “{name}”.",
                "Known are: {properties}.",
                name=name,
                properties=listed(_PROPERTY_TEXTS),
            )
        state = document.state
        layer = state.node(layer_id)
        if name in ("x", "y"):
            refuse_fixed(state, [layer_id])
            by = value - getattr(state.layer(layer_id), name)
            changed = layer.moved(by, 0) if name == "x" else layer.moved(0, by)
        else:
            if name in ("opacity", "blend_mode"):
                refuse_locked(state, [layer_id], contents=False)
            changed = layer.changed(**{name: value})  # first: it refuses what is out of range
        after = state.with_node(changed)
        text = translate("Commands", _PROPERTY_TEXTS[name]).format(name=layer.name, value=_shown(name, value))
        super().__init__(document, text, after, merge_key=merge_key)


def _shown(name: str, value: Any) -> str:
    if name == "opacity":
        return f"{round(value * 100)} %"
    if isinstance(value, BlendMode):
        return translate("BlendMode", value.label)
    return str(value)
