"""What the menus call: each object acts on the current document, through a small shell of the application."""
