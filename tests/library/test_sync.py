"""The synchronous methods: in a script, in threads, in a running event loop, and when they are interrupted."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import onelook
from onelook.background import BackgroundLoop
from onelook.engines.base import AskRequest, Reply
from onelook.engines.scripted import ScriptedEngine, ScriptedReply
from tests.graph.replies import PORTRAIT, sure
from tests.library.conftest import DRAWING, MakeScripted
from tests.patience import HANG_S

ROOT = Path(__file__).resolve().parents[2]


def test_threads_share_one_model(demo: onelook.Tagger, drawn: onelook.TagResult) -> None:
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(demo.tag_sync, [DRAWING] * 6))
    assert [result.category for result in results] == [drawn.category] * 6


async def test_it_works_inside_a_running_event_loop(demo: onelook.Tagger, drawn: onelook.TagResult) -> None:
    assert demo.tag_sync(DRAWING).category == drawn.category
    assert [result.category for _, result in demo.tag_many_sync([DRAWING])] == [drawn.category]


def test_all_threads_ask_in_one_loop(scripted: MakeScripted) -> None:
    loops = set()

    def script(_: AskRequest) -> ScriptedReply:
        loops.add(asyncio.get_running_loop())
        return sure(PORTRAIT)

    tagger = scripted(script)
    with ThreadPoolExecutor(8) as pool:
        assert {result.status for result in pool.map(tagger.tag_sync, [DRAWING] * 16)} == {"ok"}
    assert len(loops) == 1


def test_many_come_out_once_each_with_their_index(scripted: MakeScripted) -> None:
    pictures: Iterator[object] = iter([DRAWING, None, DRAWING])
    found = {index: result.status for index, result in scripted().tag_many_sync(pictures)}  # type: ignore[arg-type]
    assert found == {0: "ok", 1: "failed", 2: "ok"}


class OneAnswer(ScriptedEngine):
    """Answers the first question when the second has come, and waits for ever at all others."""

    def __init__(self) -> None:
        super().__init__(lambda _: sure(PORTRAIT))
        self.questions = 0
        self.second = asyncio.Event()
        self.cancelled = 0

    async def ask(self, request: AskRequest) -> Reply:
        self.questions += 1
        if self.questions == 1:
            await self.second.wait()
            return await super().ask(request)
        self.second.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        raise AssertionError


def test_leaving_early_cancels_the_rest() -> None:
    engine = OneAnswer()
    with onelook.Tagger(onelook.load_settings(concurrency=2), engine) as tagger:
        results = tagger.tag_many_sync([DRAWING] * 5)
        assert next(results)[1].status == "ok"
        results.close()
        assert engine.cancelled == engine.questions - 1 == 1


def test_a_wrong_choice_is_raised_to_the_caller(scripted: MakeScripted, tmp_path: Path) -> None:
    english = tmp_path / "english.yaml"
    english.write_text(
        "name: english\nlanguages: [en]\ncategories:\n"
        "  cat: {label: {en: cat}, when: {en: a cat}}\n  other: {label: {en: other}, when: {en: anything else}}\n"
    )
    tagger = scripted(taxonomy=english)
    with pytest.raises(onelook.SettingsError, match="zh"):
        tagger.tag_sync(DRAWING, onelook.Context(language="zh"))


def test_closing_ends_the_thread_and_the_tagger(scripted: MakeScripted) -> None:
    before = set(threading.enumerate())
    with scripted() as tagger:
        assert tagger.tag_sync(DRAWING).status == "ok"
        assert any(thread.name == "onelook" for thread in threading.enumerate())
    left = {thread.name for thread in set(threading.enumerate()) - before}
    assert all(name.startswith(("asyncio_", "onelook-decode")) for name in left)  # workers of pools may still be idle
    with pytest.raises(RuntimeError, match="this Tagger is closed"):
        tagger.tag_sync(DRAWING)
    tagger.close()


async def test_leaving_it_asynchronously_ends_the_thread_too(scripted: MakeScripted) -> None:
    async with scripted() as tagger:
        assert (await asyncio.to_thread(tagger.tag_sync, DRAWING)).status == "ok"
        assert (await tagger.tag(DRAWING)).status == "ok"
    with pytest.raises(RuntimeError, match="this Tagger is closed"):
        tagger.tag_sync(DRAWING)


def test_a_loop_does_not_wait_for_itself() -> None:
    loop = BackgroundLoop()

    async def inner() -> None:
        return None

    async def outer() -> None:
        loop.run(inner())

    with pytest.raises(RuntimeError, match="use `await`"):
        loop.run(outer())
    loop.close()
    with pytest.raises(RuntimeError, match="is closed"):
        loop.run(inner())


def test_a_loop_that_nobody_holds_ends() -> None:
    loop = BackgroundLoop()
    thread = loop._thread
    del loop
    thread.join(HANG_S)
    assert not thread.is_alive()


INTERRUPTED = """
import asyncio, os, signal, threading
import onelook
from onelook.engines.scripted import ScriptedEngine

class Engine(ScriptedEngine):
    async def ask(self, request):
        os.kill(os.getpid(), signal.SIGINT)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            print("cancelled", flush=True)
            raise

with onelook.Tagger(onelook.load_settings(), Engine([])) as tagger:
    try:
        tagger.tag_sync({drawing!r})
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot interrupt itself there")
def test_ctrl_c_cancels_the_run() -> None:
    code = INTERRUPTED.format(drawing=str(DRAWING))
    finished = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert finished.stdout.split() == ["cancelled", "interrupted"], finished.stderr
    assert finished.returncode == 0
    assert signal.getsignal(signal.SIGINT)


FORKED = """
import os, sys, warnings
import onelook
from onelook.engines.scripted import ScriptedEngine
from tests.graph.replies import PORTRAIT, sure

warnings.simplefilter("ignore")
tagger = onelook.Tagger(onelook.load_settings(), ScriptedEngine(lambda _: sure(PORTRAIT)))
print(tagger.tag_sync({drawing!r}).status, flush=True)
if child := os.fork():
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(tagger.tag_sync({drawing!r}).status, flush=True)
os._exit(0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork there")
def test_a_forked_process_has_a_thread_of_its_own() -> None:
    command = [sys.executable, "-c", FORKED.format(drawing=str(DRAWING))]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=HANG_S)
    assert finished.stdout.split() == ["ok", "ok"], finished.stderr
    assert finished.returncode == 0


def test_a_script_that_closes_nothing_ends_quietly() -> None:
    code = f"import onelook; print(onelook.tag({str(DRAWING)!r}).category.id)"
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-X", "dev", "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.split() == ["animal"]
    assert "Traceback" not in finished.stderr
