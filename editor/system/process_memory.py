"""How much memory Attune holds, with its worker process."""

import multiprocessing
import os
from pathlib import Path

_GROUP = Path("/sys/fs/cgroup")


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


def whole_bytes() -> int:
    """Bytes of this machine, or what a container of it may take; 0 where the system does not tell."""
    try:
        here = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return 0
    try:
        return min(here, int((_GROUP / "memory.max").read_text()))
    except (OSError, ValueError):  # none, or "max"
        return here


def available_bytes() -> int | None:
    """Bytes that may be used without taking them from others; None where the system does not tell."""
    found = [one for one in (_free_bytes(), _left_of_group()) if one is not None]
    return min(found, default=None)


def _free_bytes() -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    try:  # half of all that there is
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, OSError, ValueError):
        return None


def _left_of_group() -> int | None:
    """What a container may still take."""
    try:
        most, taken = (int((_GROUP / name).read_text()) for name in ("memory.max", "memory.current"))
    except (OSError, ValueError):  # none, or "max"
        return None
    return max(0, most - taken)
