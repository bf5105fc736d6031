"""What can be done to a document, as functions from one state to the next.

They touch no Qt object and may run on any thread; the ids of the nodes they work on are given, never read
from the state's active node, so that an edit that was asked for means the same nodes whenever it runs.
What cannot be done is refused with an `EditorError` and changes nothing.
"""
