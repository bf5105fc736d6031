"""Learning an attribute's direction by optimisation (Baumann et al., CVPR 2025, arXiv:2403.17064).

presets       runs that are known to work, by name
examples      the prompts of a definition, encoded once
pool          points (x_t, t) of trajectories that are sampled from the neutral prompts
objective     the loss of one micro-step and its gradient
state         everything that a run depends on, as bytes from which it goes on
learn_delta   the operation: units of work, one after the other, each after a checkpoint
"""
