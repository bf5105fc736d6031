"""The application without widgets: document, undo, formats, batch, command line."""
