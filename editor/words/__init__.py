"""The words that people read: languages, numbers, errors."""
