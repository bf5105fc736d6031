"""Properties of adjustment layers, masks and texts."""
