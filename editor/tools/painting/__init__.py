"""The painting engine: what is painted on, dabs, strokes, and how paint meets pixels."""
