"""Generative semantic nursing: the latents follow the gradient of a loss on text attention while sampling.

A method is three values that combine freely (`procedures`): a loss on the maps, refinements (many updates at
few steps) and guidance (one update at each of many steps). See arXiv:2504.17525 for the comparison.
"""
