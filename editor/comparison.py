"""What “before” means when the window compares before and after."""

from editor.document import Document
from editor.state import DocumentState


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
