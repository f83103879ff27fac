"""Limits the fragmentation of the heap by the buffers of pictures."""

from __future__ import annotations

import ctypes

M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8  # malloc.h
LARGE = 1024 * 1024


def tune_malloc() -> None:
    """With glibc: use one heap, and `mmap` for blocks of 1 MiB and more.

    By default every thread can have its own heap (arena), and the threshold for `mmap` rises with the size of the
    blocks that are freed (mallopt(3)). The memory of a server that reads pictures then varies between what it needs
    and twice that. Setting the threshold also stops it from rising.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(M_MMAP_THRESHOLD, LARGE)
        library.mallopt(M_ARENA_MAX, 1)
