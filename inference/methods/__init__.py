"""One method of one paper per file; each is resolved by dotted name in the worker."""
