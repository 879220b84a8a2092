"""Memory: what a step frees is kept for the next one, instead of being asked for again."""

from __future__ import annotations

import ctypes
import platform

# malloc.h of glibc; see mallopt(3)
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
_TOP_PAD_BYTES = 64 * 1024 * 1024


def keep_memory() -> bool:
    """Tell the C library to keep memory that was freed; say whether it could be told.

    By default glibc maps every large block anew and hands it back when it is freed, so that each
    step of a model begins with a page fault for every 4 KiB of its tensors. Kept, the memory of a
    process stays at its peak. With another C library nothing is changed.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    settings = ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, -1), (_TOP_PAD, _TOP_PAD_BYTES))
    told = [mallopt(name, value) for name, value in settings]
    return told == [1] * len(settings)
