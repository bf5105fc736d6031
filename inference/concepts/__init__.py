"""Concepts: words learnt from photos. Their values, their files, the library, and where they stand."""
