"""Panels and dialogs of generating: refine, variations, sheets, jobs."""
