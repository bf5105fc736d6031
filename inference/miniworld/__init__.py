"""The procedural mini world and the training of the built-in models.

`scene` draws what is where, `render` and `subjects` draw it, `captions` tell it: all from a seed, without
torch. `vae`, `text_encoders`, `denoisers` and `detector_training` train the parts, `training` joins them,
`export` writes diffusers folders, `evaluation` measures them.

    python -m inference.miniworld train all           # everything, about two hours on two cores
    python -m inference.miniworld train mini-sdxl     # one model; run again to resume
    python -m inference.miniworld report mini-sdxl    # measure it and write its card
"""
