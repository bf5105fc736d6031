"""A picture re-rendered from a new text by features and attention put into its run (arXiv:2211.12572)."""
