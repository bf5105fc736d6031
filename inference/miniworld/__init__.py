"""The procedural mini world and the training of the built-in models."""
