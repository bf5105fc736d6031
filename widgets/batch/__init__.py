"""A folder edited by a recipe: the dialog, its recipe and its files; recipes made of histories."""
