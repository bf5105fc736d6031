"""What “before” means when the window compares before and after."""

from dataclasses import dataclass

from editor.document.document import Document
from editor.layers.state import DocumentState


@dataclass(frozen=True)
class Against:
    """What the present picture is compared with.

    Args:
        state: a state of the history.
        layer: id of a node: the present picture with that node hidden, or shown if it is hidden.

    With neither, it is the picture since which one only tuned (`before`).
    """

    state: DocumentState | None = None
    layer: str = ""


def compared(document: Document, against: Against) -> DocumentState:
    """The state to show on the other side; a layer that is gone counts as not chosen."""
    if against.state is not None:
        return against.state
    present = document.shown_state()
    node = present.find(against.layer) if against.layer else None
    return before(document) if node is None else present.with_node(node.changed(visible=not node.visible))


def before(document: Document) -> DocumentState:
    """The oldest state since which the picture was only tuned.

    Going back from the present step, it stops where the size, a prompt, a seed or a model differs: there
    another picture begins, and comparing across it would say nothing.
    """
    stack, state = document.undo_stack, document.state
    for step in reversed(stack.steps[: stack.index()]):
        if not _same_picture(step.before, document.state):
            break
        state = step.before
    return state


def _same_picture(old: DocumentState, new: DocumentState) -> bool:
    if (old.width, old.height) != (new.width, new.height):
        return False
    earlier, now = _origins(old), _origins(new)
    return all(earlier[key] == now[key] for key in earlier.keys() & now.keys())


def _origins(state: DocumentState) -> dict[str, tuple[object, ...]]:
    """What decides each generated layer's picture beside its sliders."""
    return {
        layer.id: (layer.recipe.prompt, layer.recipe.seed, layer.recipe.request.model)
        for layer in state.rasters()
        if layer.recipe is not None
    }
