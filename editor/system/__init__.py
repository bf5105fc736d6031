"""The machine: files, folders, settings, threads, signals, errors."""
