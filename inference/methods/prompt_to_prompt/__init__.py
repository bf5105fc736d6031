"""Editing by words: what a picture attends to is carried into that of another prompt (arXiv:2208.01626).

`alignment` says which tokens of two prompts belong together, `attention` carries the source's attention over,
`blending` confines the change to where its words are, `control` puts the three into an editing loop.
"""
