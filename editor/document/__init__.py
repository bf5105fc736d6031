"""The document: its state, its changes, its history, and its JSON."""
