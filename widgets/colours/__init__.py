"""Choosing colours."""
