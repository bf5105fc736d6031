"""The Filter menu: each adjustment as a layer of its own."""

from editor.actions.table import Action
from inference.parameters import N_


def _adjustment(name: str, text: str, group: int, shortcut: str = "") -> Action:
    return Action(
        id=f"filter.{name}", text=text, menu="filter", command="filters.add", argument=name,
        shortcut=shortcut, enabled_when="document", group=group, icon="adjustment",
        tip=N_("Actions", "As a layer that stays editable; a selection becomes its mask"),
    )  # fmt: skip


FILTERS: tuple[Action, ...] = (
    _adjustment("levels", N_("Actions", "&Levels"), 0, "Ctrl+L"),
    _adjustment("curves", N_("Actions", "&Curves"), 0, "Ctrl+Alt+C"),
    _adjustment("brightness-contrast", N_("Actions", "&Brightness and contrast"), 0),
    _adjustment("hue-saturation", N_("Actions", "&Hue, saturation, lightness"), 1, "Ctrl+U"),
    _adjustment("white-balance", N_("Actions", "&White balance"), 1),
    _adjustment("black-and-white", N_("Actions", "Blac&k and white"), 1),
    _adjustment("invert", N_("Actions", "&Invert"), 2),
    _adjustment("posterise", N_("Actions", "&Posterise"), 2),
    _adjustment("gaussian-blur", N_("Actions", "&Gaussian blur"), 3),
    _adjustment("sharpen", N_("Actions", "&Sharpen"), 3),
)
