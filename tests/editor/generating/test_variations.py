import pytest
from pytestqt.qtbot import QtBot

from editor.commands import ReplaceState, push
from editor.document.document import Document
from editor.edits.geometry import cropped_to, turned
from editor.edits.painting import filled
from editor.generating.variations import LARGEST_SEED, VariationSession
from editor.layers.layer import Layer
from editor.pixels.raster import Area
from inference.errors import EditorError
from tests.editor.samples import MAN, fake_service, flat, generated
from tests.helpers.fake_service import FakeService


@pytest.fixture
def service(qtbot: QtBot) -> FakeService:
    return fake_service()


@pytest.fixture
def document(qtbot: QtBot) -> Document:
    return generated(MAN)


@pytest.fixture
def session(document: Document, service: FakeService) -> VariationSession:
    return VariationSession(document, document.layers[0].id, service)


def test_the_layer_s_own_picture_comes_first(session: VariationSession, service: FakeService) -> None:
    session.start(2)
    assert [item.seed for item in session.variations] == [7, 8, 9]
    assert session.variations[0].pixels is not None
    assert [job.label for job in service.jobs()] == ["Variation with seed 8", "Variation with seed 9"]
    assert session.current == 0


def test_pictures_arrive_one_by_one(session: VariationSession, service: FakeService) -> None:
    session.start(2)
    arrived: list[int] = []
    session.changed.connect(arrived.append)
    service.finish()
    service.fail(EditorError("No memory."))
    assert arrived == [1, 2]
    assert session.variations[1].pixels is not None
    assert (session.variations[2].pixels, str(session.variations[2].error)) == (None, "No memory.")


def test_choosing_is_one_step_with_its_seed(
    session: VariationSession, document: Document, service: FakeService
) -> None:
    session.start(1)
    service.finish()
    session.choose(1)
    assert document.undo_stack.undoText() == "Use the variation with seed 8"
    assert document.layers[0].pixels[0, 0, 0] == 101
    assert document.layers[0].recipe is not None
    assert (document.layers[0].recipe.seed, session.current) == (8, 1)
    document.undo_stack.undo()
    assert session.current == 0


def test_choosing_what_is_shown_or_not_there_is_no_step(
    session: VariationSession, document: Document
) -> None:
    session.start(1)
    session.choose(0)
    session.choose(1)
    assert document.undo_stack.count() == 0


def test_a_locked_layer_says_so(session: VariationSession, document: Document, service: FakeService) -> None:
    session.start(1)
    service.finish()
    document.swap_state(document.state.with_layer(document.layers[0].changed(locked=True)))
    errors: list[EditorError] = []
    session.failed.connect(errors.append)
    session.choose(1)
    assert "locked" in errors[0].message


def test_starting_again_and_closing_cancel(session: VariationSession, service: FakeService) -> None:
    session.start(3)
    session.start(1)
    assert len(service.jobs()) == 1
    session.close()
    assert service.jobs() == ()


def test_seeds_wrap_around(service: FakeService, qtbot: QtBot) -> None:
    document = generated(seed=LARGEST_SEED)
    session = VariationSession(document, document.layers[0].id, service)
    session.start(1)
    assert session.variations[1].seed == 0


def test_a_painted_layer_has_none(document: Document, service: FakeService) -> None:
    plain = document.layers[0].changed(recipe=None, pixels=flat(1))
    document.swap_state(document.state.with_layer(plain))
    with pytest.raises(EditorError, match="no seed"):
        VariationSession(document, plain.id, service)


@pytest.mark.parametrize("two", [False, True])
@pytest.mark.parametrize("how", ["crop", "turn", "paint"])
def test_a_layer_that_was_changed_since_keeps_what_it_is(
    document: Document, session: VariationSession, service: FakeService, how: str, two: bool
) -> None:
    """The whole picture took the place of the part that a crop had left, and lay elsewhere."""
    if two:
        other = Layer.of_pixels(name="below", pixels=flat(10))
        document.swap_state(document.state.inserted([other], index=0))
    said: list[EditorError] = []
    session.failed.connect(said.append)
    session.start(1)
    service.finish()
    before = document.state
    after = {
        "crop": lambda: cropped_to(before, Area(2, 3, 4, 4)),
        "turn": lambda: turned(before, 1),
        "paint": lambda: filled(before, before.layers[-1].id, (9, 9, 9, 255)),
    }[how]()
    push(document, ReplaceState(document, after, how))
    session.choose(1)
    assert [str(one) for one in said] == [
        "“Generated” was changed since: these variations no longer fit it. Undo that, or make new ones."
    ]
    assert document.state is after
    document.undo_stack.undo()
    session.choose(1)
    assert document.layers[-1].pixels[0, 0, 0] == 101
