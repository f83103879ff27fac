"""`onelook batch` as people run it: real processes, a real HTTP server that answers as a model would, real signals."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from onelook.batch.records import records
from onelook.demo.checkpoint import DRAWINGS
from tests.batch.pictures import paint
from tests.engines.openai_simulation import Body, SimulatedServer, completion
from tests.graph.replies import BUILDING
from tests.patience import HANG_S

PICTURES = 40
AT_ONCE = 4


class Model:
    """Answers after a moment; `asked` counts the questions about each picture. `hold`: it answers once that is set."""

    def __init__(self) -> None:
        self.asked = Counter[str]()
        self.hold = asyncio.Event()
        self.hold.set()

    async def __call__(self, request: web.Request, asked: Body) -> web.StreamResponse:
        guide = asked.get("structured_outputs", {})
        if "zebra" in str(guide):  # the questions of the start
            return web.json_response(completion(guide["choice"][0] if "choice" in guide else '{"word":"zebra"}'))
        self.asked[picture_of(asked)] += 1
        await self.hold.wait()
        await asyncio.sleep(0.01)
        return web.json_response(completion(BUILDING, usage={"prompt_tokens": 100, "completion_tokens": 10}))


def picture_of(body: Body) -> str:
    content: Any = body["messages"][-1]["content"]
    return next(str(part["image_url"]["url"]) for part in content if part["type"] == "image_url")


async def started(server: SimulatedServer | None, *words: str | Path, **environment: str) -> asyncio.subprocess.Process:
    others = {name: value for name, value in os.environ.items() if not name.startswith(("ONELOOK_", "LC_", "LANG"))}
    address = "http://127.0.0.1:9/v1" if server is None else server.base_url
    ours = {"ONELOOK_ENGINE": "vllm", "ONELOOK_BASE_URL": address, "COLUMNS": "100", "LC_ALL": "C.UTF-8"}
    command: Sequence[str | Path] = [sys.executable, "-m", "onelook", "batch", *words]
    return await asyncio.create_subprocess_exec(
        *command,
        env={**others, **ours, **environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        preexec_fn=default_signals,
    )


def default_signals() -> None:
    """As a terminal's shell gives them: those who run tests may ignore some (`nohup`)."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_DFL)


async def ended(process: asyncio.subprocess.Process) -> tuple[int, str, str]:
    async with asyncio.timeout(HANG_S):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def onelook(server: SimulatedServer | None, *words: str | Path, **environment: str) -> tuple[int, str, str]:
    return await ended(await started(server, *words, **environment))


async def shown_until(word: str, process: asyncio.subprocess.Process) -> str:
    """What it writes to standard error up to the line with `word`."""
    assert process.stderr is not None
    shown = ""
    while word not in shown:
        line = await process.stderr.readline()
        assert line, shown
        shown += line.decode()
    return shown


def write(path: bytes, data: bytes) -> None:
    Path(os.fsdecode(path)).write_bytes(data)


async def until(count: int, model: Model) -> None:
    async with asyncio.timeout(HANG_S):
        while model.asked.total() < count:  # noqa: ASYNC110 - it changes with each request
            await asyncio.sleep(0.005)


async def test_an_archive_from_the_first_picture_to_its_results(tmp_path: Path) -> None:
    paths = paint(tmp_path / "in", 5)
    shutil.copy(paths[0], tmp_path / "in" / "copy.jpg")
    paths[4].write_bytes(b"\xff\xd8\xff\xe0 no picture")
    (tmp_path / "in" / ".hidden.jpg").write_bytes(b"")
    out = tmp_path / "out"
    async with SimulatedServer(model := Model()) as server:
        code, printed, shown = await onelook(server, tmp_path / "in", "--out", out, "--prompt-price", "1000")
        assert (code, printed, model.asked.total()) == (1, "", 4)
        assert "left out 1: 1 hidden or of the system" in shown
        assert "6 pictures, 6 to do\n" in shown
        assert "0 ok, 5 to review, 1 failed, 1 of the same bytes, 440 tokens, cost 0.40" in shown
        assert f"5 of 6 have an answer; 1 failed: `onelook batch status {out}` has the reasons" in shown

        code, printed, _ = await onelook(server, "status", out)
        assert code == 0
        assert "6 pictures\n@1 (newest): 0 ok, 5 to review, 1 failed, 0 to do (tiny, arm fused, zh)\n" in printed
        assert "the last run finished: 6 of 6; " in printed
        assert "failed, ImageUnreadable: 1; " in printed
        code, printed, _ = await onelook(server, "status", out, "--failed")
        assert printed.startswith(f"{paths[4]}\t")
        code, printed, _ = await onelook(server, "status", out, "--arm", "reads")
        assert (
            "with these choices: 6 pictures, 6 to do: arm, prompts, debias changed since the newest answers" in printed
        )
        code, printed, _ = await onelook(server, "status", out, "--json")
        assert json.loads(printed)["versions"][0]["needs_review"] == 5

        code, _, shown = await onelook(server, "--out", out, "--threshold", "0")
        assert "a new version of the answers, @2: confidence_threshold changed since @1" in shown
        code, printed, shown = await onelook(server, "diff", out)
        assert (code, printed) == (0, "")
        assert "0 of 5 pictures have other tags" in shown
        code, printed, _ = await onelook(server, "watch", out)
        assert (code, "the last run finished" in printed) == (0, True)


async def test_a_dry_run_keeps_nothing(tmp_path: Path) -> None:
    paint(tmp_path / "in", 20)
    async with SimulatedServer(model := Model()) as server:
        code, printed, _ = await onelook(server, tmp_path / "in", "--out", tmp_path / "out", "--dry-run")
    assert code == 0
    assert "20 pictures, 20 to do\n" in printed
    assert "2,000 prompt and 200 completion tokens (from 8 pictures)" in printed
    assert (model.asked.total(), (tmp_path / "out").exists()) == (8, False)


async def test_the_model_in_this_process_ends_without_a_word_of_its_libraries(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in (3, 5):
        shutil.copy(DRAWINGS / f"heldout-{number:04}.jpg", tmp_path / "in")
    process = await started(None, tmp_path / "in", "--out", tmp_path / "out", ONELOOK_ENGINE="embedded")
    code, _, shown = await ended(process)
    assert code == 0
    assert shown.splitlines()[-1] == "2 of 2 have an answer"


async def test_killed_again_and_again_it_asks_only_what_was_in_flight_twice(tmp_path: Path) -> None:
    """`kill -9` at any moment: every picture has one outcome, and none is lost."""
    paint(tmp_path / "in", PICTURES)
    chosen = random.Random(7)  # noqa: S311 - no secret
    words: list[str | Path] = [tmp_path / "in", "--out", tmp_path / "out", "--concurrency", str(AT_ONCE)]
    kills = 0
    async with SimulatedServer(model := Model()) as server:
        for _ in range(3):
            process = await started(server, *words)
            await until(model.asked.total() + chosen.randint(1, 8), model)
            process.kill()
            code, _, _ = await ended(process)
            kills += code == -signal.SIGKILL
        assert kills == 3
        code, printed, _ = await onelook(server, "status", tmp_path / "out")
        assert "the last run was killed" in printed
        code, _, shown = await onelook(server, *words)
    assert f"{PICTURES} of {PICTURES} have an answer" in shown
    found = list(records(tmp_path / "out"))
    assert [each.state for each in found] == ["needs_review"] * PICTURES
    assert len({each.place for each in found}) == PICTURES
    assert (code, len(model.asked)) == (0, PICTURES)
    assert model.asked.total() <= PICTURES + kills * AT_ONCE


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_the_first_signal_finishes_what_is_in_flight(number: signal.Signals, tmp_path: Path) -> None:
    paint(tmp_path / "in", PICTURES)
    async with SimulatedServer(model := Model()) as server:
        process = await started(server, tmp_path / "in", "--out", tmp_path / "out", "--concurrency", str(AT_ONCE))
        model.hold.clear()
        await until(AT_ONCE, model)
        process.send_signal(number)
        shown = await shown_until("finishing", process)
        model.hold.set()
        code, _, rest = await ended(process)
    assert code == 128 + number
    assert f"finishing {AT_ONCE} pictures in flight; once more, and it ends at once" in shown
    done = [each for each in records(tmp_path / "out") if each.state is not None]
    assert len(done) == model.asked.total() == AT_ONCE
    assert f"{PICTURES - AT_ONCE} still to do: the same command goes on" in rest


async def test_the_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    paint(tmp_path / "in", PICTURES)
    async with SimulatedServer(model := Model()) as server:
        model.hold.clear()  # the server answers no more
        process = await started(server, tmp_path / "in", "--out", tmp_path / "out", "--concurrency", str(AT_ONCE))
        await until(AT_ONCE, model)
        process.send_signal(signal.SIGINT)
        await shown_until("finishing", process)
        await asyncio.sleep(0.5)  # sooner, it would be the echo of the first one
        process.send_signal(signal.SIGINT)
        code, _, shown = await ended(process)
    assert (code, "Traceback" in shown) == (130, False)
    assert all(each.state is None for each in records(tmp_path / "out"))


async def test_a_second_process_on_the_folder_is_refused(tmp_path: Path) -> None:
    paint(tmp_path / "in", PICTURES)
    out = tmp_path / "out"
    async with SimulatedServer(model := Model()) as server:
        model.hold.clear()
        process = await started(server, tmp_path / "in", "--out", out)
        await until(1, model)
        code, _, shown = await onelook(server, tmp_path / "in", "--out", out)
        assert code == 2
        assert f"error: {out} is in use by process {process.pid} on " in " ".join(shown.split())
        code, printed, _ = await onelook(server, "status", out)
        assert f"running, process {process.pid}: " in printed
        model.hold.set()
        assert (await ended(process))[0] == 0


async def test_watching_ends_with_the_run(tmp_path: Path) -> None:
    paint(tmp_path / "in", PICTURES)
    async with SimulatedServer(model := Model()) as server:
        model.hold.clear()
        process = await started(server, tmp_path / "in", "--out", tmp_path / "out")
        await until(1, model)
        watching = await started(server, "watch", tmp_path / "out")
        await asyncio.sleep(0.5)
        model.hold.set()
        assert (await ended(process))[0] == 0
        code, printed, _ = await ended(watching)
    assert code == 0
    assert f"the last run finished: {PICTURES} of {PICTURES}" in printed


async def test_what_cannot_begin_ends_with_2(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "file").write_text("")
    paint(tmp_path / "in", 1)
    refused: list[tuple[list[str | Path], str]] = [
        ([tmp_path / "none", "--out", tmp_path / "out", "--max-failures", "many"], "--max-failures many"),
        ([tmp_path / "in", "--out", tmp_path / "theirs"], "holds other files and no batch"),
        (["--out", tmp_path / "empty"], "no pictures"),
        (["status", tmp_path / "nothing"], "holds no batch"),
        ([tmp_path / "in", "--out", tmp_path / "out2"], "nothing answers at http://127.0.0.1:9/v1"),
    ]
    for words, said in refused:
        code, _, shown = await onelook(None, *words)
        assert (code, "Traceback" in shown) == (2, False), shown
        assert said in " ".join(shown.split())


async def test_names_of_any_bytes_are_tagged_and_reported(tmp_path: Path) -> None:
    (path,) = paint(tmp_path / "one", 1)
    (tmp_path / "in").mkdir()
    folder = os.fsencode(tmp_path / "in")
    for number, name in enumerate([b"line\nbreak.jpg", b"caf\xe9.jpg", "😀\x1b[31m.jpg".encode()]):
        write(folder + b"/" + name, path.read_bytes()[: 100 if number == 1 else None])
    async with SimulatedServer(Model()) as server:
        code, _, _ = await onelook(server, tmp_path / "in", "--out", tmp_path / "out")
        _, printed, _ = await onelook(server, "status", tmp_path / "out", "--failed")
    assert code == 1
    assert len(list(records(tmp_path / "out"))) == 3
    assert "caf\\xe9.jpg\t" in printed
