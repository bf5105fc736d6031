"""The weights in the files of a model: their headers, whether they fit its networks, single checkpoints."""
