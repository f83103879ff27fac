"""How a run is stopped: real processes, real signals."""

from __future__ import annotations

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
from PIL import Image

from tests.cli.test_cli import clean
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
    told = "from onelook.cli.commands.tag import Tagging; keep = Tagging.keep\n"
    told += "def noted(*given): keep(*given); print('kept', file=sys.stderr, flush=True)\nTagging.keep = noted"
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
