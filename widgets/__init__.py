"""The window: shows the editor and calls it; holds no pixels and no tensors of its own."""
