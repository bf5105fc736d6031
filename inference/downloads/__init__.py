"""Fetching models when the user asks: what a repository has, files that break off, what to recommend."""
