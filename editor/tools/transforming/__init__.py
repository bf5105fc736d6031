"""Scaling, turning, skewing and distorting: the numbers, the pixels, and the nodes."""
