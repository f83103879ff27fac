"""The threads in which pictures are decoded, sized and encoded: one for each processor core."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cache
from typing import TypeVar

Made = TypeVar("Made")

LEAST_THREADS = 4
"""On fewer cores, so that two pictures that take seconds do not keep all others waiting."""


def cores() -> int:
    """The processor cores that this process may use: fewer than the machine has under `taskset`, in a container that is
    bound to some, and in Ray's and Slurm's cpusets."""
    if hasattr(os, "sched_getaffinity"):  # Linux; from Python 3.13 on, os.process_cpu_count
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def decode_pool() -> ThreadPoolExecutor:
    """Decoding computes, and lets go of the interpreter while it does: more threads than cores make no picture faster,
    and each one later. asyncio's own pool counts all cores of the machine, ends at 32 threads, and is where slow disks
    and name servers are waited for."""
    return ThreadPoolExecutor(max(LEAST_THREADS, cores()), thread_name_prefix="onelook-decode")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=decode_pool.cache_clear)  # a child has the pool's queue, and none of its threads


async def in_decode_thread(work: Callable[[], Made]) -> Made:
    """What `work` returns; it runs in the pool, in the caller's context, as in `asyncio.to_thread`."""
    return await asyncio.get_running_loop().run_in_executor(decode_pool(), copy_context().run, work)
