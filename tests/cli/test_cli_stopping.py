"""How a run is stopped: real processes, real signals."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from PIL import Image

from onelook.calibration.fits import Calibration, RouterFit
from tests.cli.test_cli import clean
from tests.engines.openai_simulation import SimulatedServer
from tests.patience import HANG_S

__all__ = ["clean"]  # the fixture

ONELOOK = str(Path(sys.executable).parent / "onelook")
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]

# One file lies on a disk that never answers: the thread that reads it cannot be ended.
WITH_DEAD_DISK = """
import sys, time
from onelook.images import source
from onelook.cli import stopping
from onelook.cli.app import main
read = source.read_local
def read_local(reference, limits):
    while reference == "dead.jpg":
        time.sleep(1)
    return read(reference, limits)
source.read_local = read_local
{more}
main()
"""


def started(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> subprocess.Popen[str]:
    """In a session of its own, with signals as a terminal's shell gives them: those who run tests may ignore some."""
    return subprocess.Popen(
        command,
        env=environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: [signal.signal(each, signal.SIG_DFL) for each in SIGNALS],
    )


@pytest.mark.parametrize("number", SIGNALS)
def test_an_interrupted_run_shows_what_is_done(number: int, clean: Mapping[str, str], tmp_path: Path) -> None:
    Image.new("RGB", (320, 240), "teal").save(tmp_path / "0000.jpg")
    for copy in range(1, 2000):
        os.link(tmp_path / "0000.jpg", tmp_path / f"{copy:04}.jpg")
    command = [ONELOOK, "tag", ".", "--jsonl", "--concurrency", "1"]
    with started(command, clean, tmp_path) as running:
        assert running.stdout is not None
        first = json.loads(running.stdout.readline())
        running.send_signal(number)
        rest, shown = running.communicate(timeout=HANG_S)
    assert first["image"] == "./0000.jpg"
    done = 1 + len(rest.splitlines())
    assert f"interrupted: {done} of 2000 are done\n" in shown
    assert re.search(rf"^{done} pictures? in ", shown, re.MULTILINE)
    assert (running.returncode, "Traceback" in shown) == (128 + number, False)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_thread_that_never_ends_does_not_hold_it_up(number: int, clean: Mapping[str, str], tmp_path: Path) -> None:
    for name in ("a.jpg", "dead.jpg"):
        Image.new("RGB", (320, 240), "teal").save(tmp_path / name)
    command = [sys.executable, "-c", WITH_DEAD_DISK.format(more=""), "tag", "a.jpg", "dead.jpg", "--jsonl"]
    with started(command, clean, tmp_path) as running:
        assert running.stdout is not None
        running.stdout.readline()
        running.send_signal(number)
        rest, shown = running.communicate(timeout=HANG_S)
    assert rest == ""
    assert "interrupted: 1 of 2 are done\n" in shown
    assert (running.returncode, "Traceback" in shown) == (128 + number, False)


def test_the_results_so_far_are_one_whole_array(clean: Mapping[str, str], tmp_path: Path) -> None:
    for name in ("a.jpg", "dead.jpg"):
        Image.new("RGB", (320, 240), "teal").save(tmp_path / name)
    told = "from onelook.cli.tagging import Tagging; keep = Tagging._keep\n"
    told += "def noted(*given): keep(*given); print('kept', file=sys.stderr, flush=True)\nTagging._keep = noted"
    command = [sys.executable, "-c", WITH_DEAD_DISK.format(more=told), "tag", "a.jpg", "dead.jpg", "--json"]
    with started(command, clean, tmp_path) as running:
        assert running.stderr is not None
        while running.stderr.readline() != "kept\n":
            assert running.poll() is None
        running.send_signal(signal.SIGTERM)
        results, _ = running.communicate(timeout=HANG_S)
    assert [each["image"] for each in json.loads(results)] == ["a.jpg"]


def test_a_second_ctrl_c_ends_it_at_once(clean: Mapping[str, str], tmp_path: Path) -> None:
    """The first would wait for ever for the run to end."""
    for name in ("a.jpg", "dead.jpg"):
        Image.new("RGB", (320, 240), "teal").save(tmp_path / name)
    patient = "stopping.GRACE_S, stopping.ECHO_S = 1e6, 0.0"
    command = [sys.executable, "-c", WITH_DEAD_DISK.format(more=patient), "tag", "a.jpg", "dead.jpg", "--jsonl"]
    with started(command, clean, tmp_path) as running:
        assert running.stdout is not None
        running.stdout.readline()
        while running.poll() is None:
            running.send_signal(signal.SIGINT)
            time.sleep(0.1)
        _, shown = running.communicate(timeout=HANG_S)
    assert (running.returncode, "interrupted" in shown) == (130, False)


def test_what_is_ignored_stays_ignored(clean: Mapping[str, str], tmp_path: Path) -> None:
    """`nohup onelook tag …` goes on when its terminal closes."""
    for number in range(3):
        Image.new("RGB", (320, 240), "teal").save(tmp_path / f"{number}.jpg")
    command = ["nohup", ONELOOK, "tag", ".", "--jsonl", "--concurrency", "1"]
    with started(command, clean, tmp_path) as running:
        assert running.stdout is not None
        first = running.stdout.readline()
        running.send_signal(signal.SIGHUP)
        rest, _ = running.communicate(timeout=HANG_S)
    assert len((first + rest).splitlines()) == 3
    assert running.returncode == 0


def test_a_stopped_demo_shows_what_is_done(clean: Mapping[str, str], tmp_path: Path) -> None:
    """As `onelook tag` does. The last picture lies on a disk that never answers."""
    for name in ("a.jpg", "dead.jpg"):
        Image.new("RGB", (320, 240), "teal").save(tmp_path / name)
    told = "from onelook.cli.tagging import Tagging; keep = Tagging._keep\n"
    told += "def noted(*given): keep(*given); print('kept', file=sys.stderr, flush=True)\nTagging._keep = noted"
    command = [sys.executable, "-c", WITH_DEAD_DISK.format(more=told), "demo", "a.jpg", "dead.jpg"]
    for number in SIGNALS:
        with started(command, clean, tmp_path) as running:
            assert running.stderr is not None
            while running.stderr.readline() != "kept\n":
                assert running.poll() is None
            running.send_signal(number)
            table, shown = running.communicate(timeout=HANG_S)
        assert [line.split()[0] for line in table.splitlines()[1:2]] == ["a.jpg"]
        assert "where the time of a.jpg went" in table
        assert "interrupted: 1 of 2 are done\n" in shown
        assert (running.returncode, "Traceback" in shown) == (128 + number, False)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_stopped_calibration_leaves_the_file_as_it_is(number: int, clean: Mapping[str, str], tmp_path: Path) -> None:
    for name in ("a.jpg", "dead.jpg"):
        Image.new("RGB", (320, 240), "teal").save(tmp_path / name)
    labels = [json.dumps({"file": name, "category": "building"}) for name in ("a.jpg", "dead.jpg")]
    (tmp_path / "labels.jsonl").write_text("\n".join(labels))
    Calibration(router=RouterFit(model="m", texts="t", pictures=9)).save(tmp_path / "calibration.json")
    earlier = (tmp_path / "calibration.json").read_text()
    # In one write each: two threads read, and a line of both would be neither's.
    dead = "source.read_local = lambda path, limits: (sys.stderr.write('reading\\n'), time.sleep(1e6))"
    command = [sys.executable, "-c", WITH_DEAD_DISK.format(more=dead), "calibrate", "."]
    with started(command, clean, tmp_path) as running:
        assert running.stderr is not None
        while running.stderr.readline() != "reading\n":
            assert running.poll() is None
        running.send_signal(number)
        _, shown = running.communicate(timeout=HANG_S)
    assert "interrupted: no calibration is written" in shown
    assert (running.returncode, "Traceback" in shown) == (128 + number, False)
    assert (tmp_path / "calibration.json").read_text() == earlier


@pytest.mark.parametrize("number", SIGNALS)
async def test_doctor_ends_while_a_server_is_silent(number: int, clean: Mapping[str, str], tmp_path: Path) -> None:
    asked, over = asyncio.Event(), asyncio.Event()

    class SilentServer(SimulatedServer):
        async def _models(self, request: web.Request) -> web.Response:
            asked.set()
            await over.wait()
            return await super()._models(request)

    async with SilentServer() as server:
        words = ["doctor", "--engine", "vllm", "--base-url", server.base_url]
        with started([ONELOOK, *words], clean, tmp_path) as running:
            await asked.wait()
            running.send_signal(number)
            out, shown = await asyncio.to_thread(running.communicate, timeout=HANG_S)
        over.set()
    assert (out, shown) == ("", "interrupted\n")
    assert running.returncode == 128 + number


@pytest.mark.parametrize("number", SIGNALS)
async def test_a_stopped_pull_says_that_it_can_go_on(number: int, clean: Mapping[str, str], tmp_path: Path) -> None:
    """The thread that downloads waits for a hub that is silent."""
    asked, over = asyncio.Event(), asyncio.Event()

    async def silent(request: web.Request) -> web.StreamResponse:
        asked.set()
        await over.wait()
        return web.json_response({})

    hub = web.Application()
    hub.router.add_route("*", "/{path:.*}", silent)
    async with TestServer(hub) as server:
        hub_address = {"HF_ENDPOINT": str(server.make_url("")).rstrip("/"), "HF_HOME": str(tmp_path), "NO_PROXY": "*"}
        with started([ONELOOK, "pull", "onelook/tiny"], {**clean, **hub_address}, tmp_path) as running:
            await asked.wait()
            running.send_signal(number)
            out, shown = await asyncio.to_thread(running.communicate, timeout=HANG_S)
        over.set()
    assert (out, "the same command continues" in shown, "Traceback" in shown) == ("", True, False)
    assert running.returncode == 128 + number
