"""The prompt as words, and the sliders of its subjects."""
