"""Concepts: words that were learnt from photos. Their values, their files, the library, and where they stand."""
