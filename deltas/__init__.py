"""Attribute deltas: definitions and shipped files; see README.md."""
