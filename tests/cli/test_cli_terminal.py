"""The terminal itself: progress, colours and Ctrl-C in a pseudo-terminal, as a person sees and types them."""

from __future__ import annotations

import codecs
import fcntl
import os
import re
import signal
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.test_cli import Run, clean, onelook
from tests.cli.test_cli_stopping import ONELOOK, SIGNALS, WITH_DEAD_DISK
from tests.patience import HANG_S

__all__ = ["clean", "onelook"]  # the fixtures

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
MOVES = re.compile(r"\x1b\[[0-9;?]*[A-HJKSTfhl]|\r(?!\n)")
CTRL_C = "\x03"


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for name in ("a.jpg", "b.jpg", "dead.jpg"):
        Image.new("RGB", (320, 240), "teal").save(tmp_path / name)
    return tmp_path


class Terminal:
    """A command in a terminal of its own, of `columns`, so that Ctrl-C reaches it. `shown`: what it has written."""

    def __init__(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str], columns: int = 100, **more: str
    ) -> None:
        inherited = {name: value for name, value in environment.items() if name not in ("COLUMNS", "NO_COLOR")}
        self._ours, theirs = os.openpty()
        termios.tcsetwinsize(theirs, (40, columns))
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env={**inherited, "TERM": "xterm-256color", **more},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=take_terminal,
        )
        os.close(theirs)
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self.shown = ""

    def wait_for(self, text: str) -> None:
        while text not in self.shown:
            assert self._read(), f"it ended without {text!r}:\n{self.shown}"

    def type(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def end(self) -> str:
        """All that was shown, when the command has ended."""
        while self._read():
            pass
        os.close(self._ours)
        self.process.wait(HANG_S)
        return self.shown

    def _read(self) -> bool:
        try:
            part = os.read(self._ours, 65536)
        except OSError:  # so Linux reports that nobody has the terminal open any more
            return False
        self.shown += self._decoder.decode(part)
        return bool(part)


def take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    for each in SIGNALS:
        signal.signal(each, signal.SIG_DFL)


def test_a_person_sees_a_bar_that_moves_and_colours(clean: Mapping[str, str], pictures: Path) -> None:
    terminal = Terminal([ONELOOK, "tag", "a.jpg", "b.jpg", "gone.jpg"], pictures, clean)
    shown = terminal.end()
    assert terminal.process.returncode == 1
    assert "starting the engine" in shown
    assert "3/3" in shown
    assert "━" in shown
    assert MOVES.search(shown)
    assert "\x1b[31m✗ failed\x1b[0m" in shown  # red
    assert shown.rstrip().endswith("1 failed\x1b[0m")
    assert shown.rfind("\x1b[?25h") > shown.rfind("\x1b[?25l")  # the cursor is there again


def test_a_pipe_gets_neither(onelook: Run, pictures: Path) -> None:
    done = onelook("tag", pictures / "a.jpg")
    for text in (done.stdout, done.stderr):
        assert "\x1b" not in text
        assert "\r" not in text
    assert "starting" not in done.stderr
    assert "━" not in done.stderr


def test_no_color_takes_the_colours_and_leaves_the_bar(clean: Mapping[str, str], pictures: Path) -> None:
    shown = Terminal([ONELOOK, "tag", "a.jpg", "gone.jpg"], pictures, clean, NO_COLOR="1").end()
    assert "2/2" in shown
    assert "✗ failed" in shown
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", shown)


def test_force_color_colours_a_pipe_and_moves_nothing_in_it(onelook: Run, pictures: Path) -> None:
    done = onelook("tag", pictures / "a.jpg", pictures / "gone.jpg", FORCE_COLOR="1")
    assert "\x1b[31m✗ failed\x1b[0m" in done.stdout
    assert COLOUR.search(done.stderr)
    for text in (done.stdout, done.stderr):
        assert not MOVES.search(text)


def dead_disk(more: str = "") -> list[str]:
    return [sys.executable, "-c", WITH_DEAD_DISK.format(more=more), "tag", "a.jpg", "dead.jpg", "--concurrency", "1"]


def test_ctrl_c_shows_what_is_done_and_gives_the_cursor_back(clean: Mapping[str, str], pictures: Path) -> None:
    terminal = Terminal(dead_disk(), pictures, clean)
    terminal.wait_for("1/2")
    terminal.type(CTRL_C)
    shown = terminal.end()
    assert terminal.process.returncode == 130
    assert "interrupted: 1 of 2 are done" in shown
    assert re.search(r"a\.jpg .*(ok|review)", COLOUR.sub("", shown))
    assert "Traceback" not in shown
    assert shown.rfind("\x1b[?25h") > shown.rfind("\x1b[?25l")


def test_ctrl_c_twice_ends_it_at_once(clean: Mapping[str, str], pictures: Path) -> None:
    """The first would wait for ever for the run to end."""
    patient = "stopping.GRACE_S, stopping.ECHO_S = 1e6, 0.0\n"
    patient += "leave_first = stopping.wait\n"
    patient += "stopping.wait = lambda *given: (print('stopping', flush=True), leave_first(*given))"
    terminal = Terminal(dead_disk(patient), pictures, clean)
    terminal.wait_for("1/2")
    terminal.type(CTRL_C)
    terminal.wait_for("stopping")
    terminal.type(CTRL_C)
    shown = terminal.end()
    assert terminal.process.returncode == 130
    assert "interrupted" not in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize("language", ["en", "zh"])
def test_results_can_be_read_at_50_columns(clean: Mapping[str, str], pictures: Path, language: str) -> None:
    """A line of a list is not cut into the five columns of the table."""
    words = ["tag", "a.jpg", "gone.jpg", "--language", language, "--timing"]
    shown = MOVES.sub("\n", COLOUR.sub("", Terminal([ONELOOK, *words], pictures, clean, columns=50).end()))
    lines = [line.rstrip() for line in shown.splitlines()]
    name = lines.index("a.jpg")
    assert re.fullmatch(r"  (✓ ok|\? review)  \S.* \d+%  \d+\.\d\d s", lines[name + 1])
    failed = lines.index("gone.jpg")
    assert lines[failed + 1].startswith("  ✗ failed")
    assert lines[failed + 2] == "  gone.jpg: no such file"
    waterfall = lines[lines.index(next(line for line in lines if line.startswith("where"))) :]
    assert all(re.search(r"\d+\.\d", line) for line in waterfall if line.startswith(("prepare", "analyze", "wall")))
