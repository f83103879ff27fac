"""Keeps the memory of a process that only tags from growing over hours. Not for a process that has other work."""

from __future__ import annotations

import atexit
import ctypes
import gc

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # malloc.h
LARGE = 1024 * 1024
KEPT_FREE = 32 * 1024 * 1024


def tune_malloc() -> None:
    """With glibc: use one heap, and `mmap` for blocks of 1 MiB and more. Call it before threads start.

    By default every thread can have its own heap (arena), and the threshold for `mmap` rises with the size of the
    blocks that are freed (mallopt(3)). The memory of a process that reads pictures then varies between what it needs
    and twice that. Setting the threshold also stops it from rising, and the one for what free memory is given back to
    the kernel stays at 128 kB: a picture's strings of 400 kB then come and go with 100 to 200 page faults, which was an
    eighth of the CPU time of a run. So 32 MiB are kept.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(M_MMAP_THRESHOLD, LARGE)
        library.mallopt(M_TRIM_THRESHOLD, KEPT_FREE)
        library.mallopt(M_ARENA_MAX, 1)


def freeze_loaded() -> None:
    """What is loaded now stays until the process ends: the garbage collector looks at it no more.

    A full collection is due when a quarter as many objects are new as there are old ones. With those of the libraries
    counted as old, garbage waits for long, and a server's full collections took a quarter of its CPU time under load.
    """
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)  # or native libraries report at the end that their objects were never freed
