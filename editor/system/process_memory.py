"""How much memory Attune holds, with its worker process."""

import multiprocessing
import os
from pathlib import Path


def resident_bytes() -> int | None:
    """Bytes resident in this process and its children; None where the system does not tell."""
    pids = [os.getpid(), *(child.pid for child in multiprocessing.active_children() if child.pid)]
    try:
        return sum(_resident_bytes(pid) for pid in pids)
    except OSError:
        return None


def _resident_bytes(pid: int) -> int:
    fields = Path(f"/proc/{pid}/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")
