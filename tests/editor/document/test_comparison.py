"""What the wipe compares with."""

from editor import commands
from editor.document.comparison import Against, compared
from tests.helpers.fake_application import generated


def test_a_state_of_the_history_is_shown_as_it_was() -> None:
    document = generated()
    first = document.state
    layer = document.layers[0].id
    commands.push(document, commands.SetLayerProperty(document, layer, "opacity", 0.5))
    assert compared(document, Against(state=first)) is first


def test_a_layer_is_compared_by_hiding_or_showing_it() -> None:
    document = generated()
    layer = document.layers[0].id
    assert not compared(document, Against(layer=layer)).node(layer).visible
    commands.push(document, commands.SetLayerProperty(document, layer, "visible", False))
    assert compared(document, Against(layer=layer)).node(layer).visible


def test_a_layer_that_is_gone_is_not_compared_with() -> None:
    document = generated()
    assert compared(document, Against(layer="gone")) is document.state
