"""Dialogs of their own."""
