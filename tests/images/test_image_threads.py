"""Pictures are decoded in threads of their own, as many as there are cores."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from onelook.images.decode_limit import decode_in_thread
from onelook.images.threads import LEAST_THREADS, cores, decode_pool
from tests.images.image_samples import LIMITS, OTHER_COLOURS, encode, prepare, quarters

ON_ONE_CORE = """
import os
from onelook.images.threads import cores
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
print(cores())
"""
IN_A_CHILD = """
import os, warnings
from onelook.images.threads import decode_pool
warnings.simplefilter("ignore", DeprecationWarning)  # a fork beside threads is what is tried here
for _ in range(100):
    decode_pool().submit(int).result()
if os.fork() == 0:
    print(decode_pool().submit(str, "decoded").result(), flush=True)
    os._exit(0)
os.wait()
"""


def printed_by(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


async def test_a_picture_is_decoded_in_the_pool_of_threads() -> None:
    name = await decode_in_thread(lambda: threading.current_thread().name, name="a.jpg", limits=LIMITS)
    assert name.startswith("onelook-decode")
    assert decode_pool()._max_workers == max(LEAST_THREADS, cores())


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system does not bind processes to cores")
def test_only_the_cores_that_the_process_may_use_count() -> None:
    assert printed_by(ON_ONE_CORE) == "1"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_process_that_was_forked_decodes_too() -> None:
    assert printed_by(IN_A_CHILD) == "decoded"


def test_pictures_with_one_colour_profile_look_the_same_from_every_thread() -> None:
    data = encode(quarters(700, 500), "JPEG", icc_profile=OTHER_COLOURS)
    alone = prepare(data, name="a.jpg", long_edge=448, max_pixels=10**6)
    with ThreadPoolExecutor(8) as pool:
        all_at_once = list(
            pool.map(lambda _: prepare(data, name="a.jpg", long_edge=448, max_pixels=10**6).data, range(32))
        )
    assert set(all_at_once) == {alone.data}
