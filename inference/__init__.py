"""Diffusion methods, models and the service that runs them; works without a window."""

from inference.pyside_fix import keep_true_alive

keep_true_alive()
