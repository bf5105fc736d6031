"""Guides as steps, and snapping."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editor import commands
from editor.commands import guides
from editor.document.document import Document
from editor.layers.state import Guide
from inference.errors import EditorError
from tests.helpers.fake_application import generated


@pytest.fixture
def document() -> Document:
    return generated()


def test_a_guide_is_added_moved_and_removed_in_steps(document: Document) -> None:
    guide = Guide(vertical=True, position=10.0)
    commands.push(document, guides.add_guide(document, guide))
    commands.push(document, guides.move_guide(document, 0, 20.0))
    assert document.state.guides == (Guide(vertical=True, position=20.0),)
    commands.push(document, guides.remove_guide(document, 0))
    assert document.state.guides == ()
    document.undo_stack.undo()
    document.undo_stack.undo()
    assert document.state.guides == (guide,)


def test_a_thousand_guides_are_enough(document: Document) -> None:
    for _ in range(guides.LIMIT):
        state = guides.add_guide(document, Guide(vertical=False, position=1.0)).after
        document.swap_state(state)
    with pytest.raises(EditorError, match="1000"):
        guides.add_guide(document, Guide(vertical=False, position=1.0))


@given(x=st.floats(-50, 150), y=st.floats(-50, 150))
def test_a_point_snaps_to_the_nearest_line_or_stays(x: float, y: float) -> None:
    document = generated()
    commands.push(document, guides.add_guide(document, Guide(vertical=True, position=20.0)))
    across, down = guides.snapped(document.state, x, y, 3.0)
    lines = (0.0, 20.0, 32.0, 64.0)
    assert across == (
        min(lines, key=lambda line: abs(line - x)) if any(abs(v - x) <= 3 for v in lines) else x
    )
    assert down == y or down in (0.0, 32.0, 64.0)
