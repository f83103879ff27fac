"""The memory of pictures that come and go, kept from growing by the holes that they leave."""

from __future__ import annotations

import ctypes

M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8  # malloc.h
LARGE = 1024 * 1024


def tune_malloc() -> None:
    """Where the C library is glibc: one heap, whose free end is given back, and blocks of 1 MiB and more beside it.

    By default every thread may have a heap of its own, and the sizes from which blocks stand beside the heap, and from
    which its end is given back, rise with the blocks that are freed (mallopt(3)). A server that reads pictures then
    swings between what it needs and twice that, although it keeps nothing. A size that is set stays as it is.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(M_MMAP_THRESHOLD, LARGE)
        library.mallopt(M_ARENA_MAX, 1)
