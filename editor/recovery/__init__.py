"""Unsaved work on disk while it is edited, and what a crash left, offered at the next start.

packs       content-addressed data in append-only files
tiles       rasters and maps as such data
store       one document: packs and a manifest that names them
instances   a locked folder for each running Attune; those whose owner is gone are leftovers
schedule    when a changed document is written
autosave    watches the open documents and writes them on a thread of its own
leftovers   finds, restores and discards what other runs left
checkpoints long jobs that are not finished, to go on with
"""
