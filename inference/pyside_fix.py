"""Keeps a defect of PySide6 6.12 on Python 3.11 from ending the process.

`Signal.emit` returns True there without counting the new reference, so that each emission takes one
reference of `True` away; after some hundreds Python aborts ("deallocating True or False"). From Python
3.12 on `True` is immortal and nothing happens. Measured: `sys.getrefcount(True)` falls by one an emission.
Remove this module with the first PySide6 that counts right, or with Python 3.11.
"""

import sys

REFERENCES = 2**40  # more emissions than any session makes


def keep_true_alive() -> None:
    """Make `True` as good as immortal where it is not."""
    if sys.version_info >= (3, 12) or sys.implementation.name != "cpython":
        return
    import ctypes

    ctypes.c_ssize_t.from_address(id(True)).value += REFERENCES  # ob_refcnt is an object's first field
