"""Colour spaces and ICC profiles."""
