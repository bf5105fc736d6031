"""Diffusion methods, models and the service that runs them; works without a window."""
