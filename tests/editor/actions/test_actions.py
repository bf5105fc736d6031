import re
from importlib import resources

import pytest
from PySide6.QtGui import QKeySequence

from editor.actions import ACTIONS, CONTROLLERS, MENUS, action, in_menu
from editor.adjustments import ADJUSTMENTS
from editor.application import Application, condition_names
from editor.controllers.clipboard import Clipboard
from editor.controllers.filters import FilterController
from editor.controllers.image import ImageController
from editor.controllers.layers import LayerController
from editor.controllers.masks import MaskController
from editor.controllers.older_states import OlderStates
from editor.controllers.selection import SelectionController
from editor.controllers.sessions import Sessions
from editor.controllers.tools import ToolController

CLASSES = {
    "application": Application,
    "layers": LayerController,
    "masks": MaskController,
    "older_states": OlderStates,
    "image": ImageController,
    "selection": SelectionController,
    "filters": FilterController,
    "tools": ToolController,
    "sessions": Sessions,
    "clipboard": Clipboard,
}


def test_ids_and_texts_are_unique() -> None:
    assert len({item.id for item in ACTIONS}) == len(ACTIONS)
    assert len({item.text for item in ACTIONS}) == len(ACTIONS)
    assert action("file.open").text == "&Open…"


def test_no_shortcut_is_given_twice_and_all_are_understood() -> None:
    given = [part for item in ACTIONS for part in item.shortcut.split("; ") if part]
    assert len(set(given)) == len(given)
    for text in given:
        assert QKeySequence.fromString(text, QKeySequence.SequenceFormat.PortableText).toString() == text


def test_menus_hold_everything() -> None:
    menus = [menu for menu, _ in MENUS]
    assert {item.menu for item in ACTIONS} <= set(menus)
    assert [item for menu in menus for item in in_menu(menu)] == sorted(
        ACTIONS, key=lambda i: menus.index(i.menu)
    )


@pytest.mark.parametrize("item", ACTIONS, ids=lambda item: item.id)
def test_an_action_names_things_that_exist(item) -> None:
    controller, _, method = item.command.partition(".")
    assert controller in CONTROLLERS
    if controller in CLASSES:
        assert callable(getattr(CLASSES[controller], method))
    assert item.enabled_when in condition_names()
    assert not item.icon or (resources.files("resources") / "icons" / f"{item.icon}.svg").is_file()


def test_mnemonics_are_unique_in_a_menu() -> None:
    for menu, _ in MENUS:
        submenus = {item.submenu for item in in_menu(menu)}
        for submenu in submenus:
            texts = [item.text for item in in_menu(menu) if item.submenu == submenu]
            texts += sorted(submenus) if not submenu else []
            letters = [found[1].lower() for text in texts for found in re.finditer(r"&(\w)", text)]
            assert len(set(letters)) == len(letters), (menu, submenu)


def test_every_adjustment_has_its_filter() -> None:
    assert {item.argument for item in in_menu("filter")} == set(ADJUSTMENTS)
