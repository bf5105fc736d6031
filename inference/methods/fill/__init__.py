"""Drawing what is missing in a picture, from a prompt or from what surrounds it."""
