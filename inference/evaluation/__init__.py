"""Measuring the methods: held-out prompts and seeds, figures with their spread."""
