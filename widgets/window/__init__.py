"""The main window and what surrounds the picture in it."""
