"""Pictures as arrays, and the way between them and QImage."""
