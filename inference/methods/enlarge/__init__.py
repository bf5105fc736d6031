"""A picture at several times its size, drawn tile by tile."""
