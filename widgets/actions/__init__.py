"""The table of actions as menus, shortcuts and a palette."""
