"""Attribute sliders: what is asked for, known and drawn while one is dragged."""
