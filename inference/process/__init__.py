"""What a process may import, and whom it may contact."""
