"""The layer panel."""
