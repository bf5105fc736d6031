"""The Filter menu."""

from editor.actions.table import Action

FILTERS: tuple[Action, ...] = ()
