"""Prompts: their words and subjects, their tokens, words that were learnt."""
