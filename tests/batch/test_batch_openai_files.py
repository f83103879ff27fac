"""Questions in files and answers from files, in the OpenAI batch format."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from onelook.batch.entries import Listed
from onelook.batch.ledger import Ledger
from onelook.batch.openai_batch.offline import Offline, Reader
from onelook.batch.openai_batch.read import Imported, import_answers
from onelook.batch.openai_batch.write import FileLimits, Written, write_requests
from onelook.batch.records import Record, records
from onelook.errors import BatchError, SettingsError
from onelook.settings.process import load_settings
from onelook.tagger import Tagger
from onelook.types import Context
from tests.batch.pictures import paint
from tests.engines.openai_simulation import SimulatedServer, always, completion
from tests.graph.replies import BUILDING, PORTRAIT

FUSED = Context()


def offline(reader: Reader = "vllm", context: Context = FUSED, **settings: Any) -> Offline:
    return Offline(load_settings(**{"engine": "vllm", "model": "tiny", **settings}), context, reader)


class Archive:
    """A batch in `folder` whose pictures are listed."""

    def __init__(self, folder: Path, pictures: Sequence[Path]) -> None:
        self.folder = folder
        with closing(Ledger.create(folder)) as ledger:
            ledger.add(listed(each) for each in pictures)

    async def write(self, questions: Offline | None = None, limits: FileLimits | None = None, **more: Any) -> Written:
        with closing(Ledger.create(self.folder)) as ledger:
            out = self.folder / "questions"
            return await write_requests(questions or offline(), ledger, out, limits or FileLimits(), **more)

    async def read(self, *answers: Mapping[str, Any] | str, questions: Offline | None = None) -> Imported:
        file = self.folder / "answers.jsonl"
        file.write_text("".join(f"{each if isinstance(each, str) else json.dumps(each)}\n" for each in answers))
        with closing(Ledger.create(self.folder)) as ledger:
            return await import_answers(questions or offline(), ledger, [file])

    def lines(self) -> list[dict[str, Any]]:
        """All questions that were written."""
        files = sorted((self.folder / "questions").glob("*.jsonl"))
        return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]

    def ids(self) -> list[str]:
        return [line["custom_id"] for line in self.lines()]

    def records(self) -> list[Record]:
        return list(records(self.folder))


def listed(path: Path) -> Listed:
    status = path.stat()
    return Listed(os.fsencode(path), None, status.st_size, status.st_mtime_ns)


def answered(custom_id: str, body: Any = None, *, status: int = 200, error: Any = None) -> dict[str, Any]:
    """A line as OpenAI and vLLM write it."""
    body = completion(BUILDING) if body is None and error is None else body
    response = {"status_code": status, "request_id": "1", "body": body}
    return {"id": "batch_1", "custom_id": custom_id, "response": response, "error": error}


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "tags", paint(tmp_path / "photos", 3))


@pytest.fixture(autouse=True)
def no_settings_of_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("ONELOOK_")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize(("reader", "owner"), [("vllm", "vllm"), ("openai", "openai")])
async def test_a_question_in_a_file_is_the_one_that_a_server_would_get(
    reader: Reader, owner: str, archive: Archive
) -> None:
    await archive.write(offline(reader))
    async with SimulatedServer(always(completion(BUILDING)), owner=owner) as server:
        async with Tagger(load_settings(engine="vllm", base_url=server.base_url, batch="never")) as tagger:
            for record in archive.records():
                await tagger.tag(record.place)
        sent = [dict(body) for body in server.bodies]
    if reader == "openai":  # the server of this test does not mind the field, and OpenAI's refuses it
        assert [body.pop("chat_template_kwargs") for body in sent] == [{"enable_thinking": False}] * 3
    assert [line["body"] for line in archive.lines()] == sent
    assert {(line["method"], line["url"]) for line in archive.lines()} == {("POST", "/v1/chat/completions")}
    assert ("structured_outputs" in sent[0]) is (reader == "vllm")


async def test_answers_become_outcomes_like_those_of_a_run(archive: Archive) -> None:
    await archive.write()
    first, second, third = archive.ids()
    unsure = completion(PORTRAIT, usage={"prompt_tokens": 300, "completion_tokens": 20})
    sure = completion(BUILDING, logprobs={"content": [{"token": BUILDING, "logprob": -0.01}]})
    cut = completion(BUILDING[:10], finish_reason="length")
    done = await archive.read(answered(third, cut), answered(first, unsure), answered(second, sure))
    assert (done.ok, done.needs_review, done.failed, done.missing) == (1, 1, 1, {})
    found = archive.records()
    assert [each.state for each in found] == ["needs_review", "ok", "failed"]
    results = [each.result for each in found if each.result is not None]
    assert [each.category.id if each.category else None for each in results] == ["portrait", "building", None]
    assert [tag.id for tag in results[0].details["composition"]] == ["selfie", "half_body"]
    assert results[1].category is not None
    assert results[1].category.confidence == pytest.approx(0.99, abs=0.001)
    assert results[0].usage.prompt_tokens == 300
    assert (results[0].pictures[0].width, results[0].pictures[0].height) == (280, 224)
    assert results[2].errors[0].kind == "ReplyTruncated"
    again = await archive.read(answered(first, unsure), answered(second, sure))
    assert (again.known, again.ok, again.needs_review) == (2, 0, 0)
    assert archive.records() == found


VLLM_ERROR = {"error": {"message": "the prompt is longer than the model's context", "type": "BadRequest", "code": 400}}

FAULTS: dict[str, tuple[dict[str, Any], str, bool, str]] = {
    "an error under status 200": (
        answered("", {"error": {"message": "out of memory"}}),
        "EngineFailed",
        True,
        "out of memory",
    ),
    "status 500": (answered("", {"error": {"message": "boom"}}, status=500), "EngineFailed", True, "HTTP 500: boom"),
    "status 429": (answered("", {}, status=429), "EngineOverloaded", True, "HTTP 429"),
    "status 400": (answered("", {"error": {"message": "no"}}, status=400), "EngineRefused", False, "HTTP 400: no"),
    "vLLM's error": (answered("", error=VLLM_ERROR, status=400), "EngineRefused", False, "longer than the model"),
    "vLLM's error in words": (answered("", error="bad URL", status=400), "EngineRefused", False, "bad URL"),
    "expired": (
        {"custom_id": "", "response": None, "error": {"code": "batch_expired", "message": "it expired"}},
        "EngineFailed",
        True,
        "it expired",
    ),
    "no completion": (answered("", {"choices": []}), "EngineIncapable", False, "no chat completion"),
    "a filter": (answered("", completion("", finish_reason="content_filter")), "EngineRefused", False, "filter"),
    "no JSON of ours": (answered("", completion("a building")), "ReplyInvalid", False, "a building"),
    "good, but an error beside it": (
        {**answered("", completion(BUILDING)), "error": {"message": "cancelled"}},
        "EngineFailed",
        True,
        "cancelled",
    ),
}


@pytest.mark.parametrize(("line", "kind", "may_pass", "words"), FAULTS.values(), ids=FAULTS)
async def test_status_and_body_are_both_judged(
    line: dict[str, Any], kind: str, may_pass: bool, words: str, archive: Archive
) -> None:
    await archive.write()
    custom_id = archive.ids()[0]
    done = await archive.read({**line, "custom_id": custom_id})
    assert (done.failed, done.ok) == (1, 0)
    failed = archive.records()[0]
    assert failed.result is not None
    (error,) = failed.result.errors
    assert (error.kind, failed.state) == (kind, "may_pass" if may_pass else "failed")
    assert words in error.message


async def test_what_does_not_fit_is_named(archive: Archive) -> None:
    await archive.write()
    first, second, third = archive.ids()
    fingerprint = first.split("-")[0]
    other = f"{'0' * 12}-{first.split('-')[1]}"
    never = f"{fingerprint}-{'a' * 64}"
    done = await archive.read(
        answered(first, completion(PORTRAIT)),
        answered(first, completion(BUILDING)),
        answered("request-7"),
        answered(other),
        answered(never),
        "",
        json.dumps(answered(second))[:90],
        json.dumps({"id": 1}),
        json.dumps(archive.lines()[2]),
    )
    assert done.duplicate.first == [f"answers.jsonl, line 2: {first}"]
    assert [each.split(": ", 1)[1] for each in done.unknown.first] == [
        "'request-7' is not an id of onelook",
        f"{other} was asked with other choices ({'0' * 12})",
        f"{never} was not asked from this folder, or its file has changed",
    ]
    assert [each.split(" (")[0] for each in done.broken.first] == [
        "answers.jsonl, line 7 is no JSON",
        "answers.jsonl, line 8 has no custom_id",
        "answers.jsonl, line 9 is a question, not an answer: give the files that came back",
    ]
    (missing,) = done.missing.values()
    assert list(done.missing) == ["requests-v1-0001.jsonl"]
    assert [each.split(" ")[0] for each in missing.first] == [second, third]
    result = archive.records()[0].result
    assert result is not None
    assert result.category is not None
    assert result.category.id == "portrait", "the first answer was taken"


async def test_an_answer_counts_more_than_a_failure_of_the_same_question(archive: Archive) -> None:
    await archive.write()
    custom_id = archive.ids()[0]
    done = await archive.read(answered(custom_id, {}, status=500), answered(custom_id))
    assert (done.ok, done.needs_review, done.failed, done.duplicate.count) == (0, 1, 0, 1)
    assert archive.records()[0].state == "needs_review", "no confidence came with it"


async def test_a_picture_is_asked_about_until_it_has_an_answer(archive: Archive) -> None:
    assert (await archive.write()).asked == 3
    waiting = await archive.write()
    assert (waiting.asked, waiting.pending, waiting.files) == (0, 3, [])
    first, second, third = archive.ids()
    await archive.read(answered(first), answered(second, {}, status=500), answered(third, {}, status=400))
    retried = await archive.write()
    assert (retried.asked, retried.pending) == (1, 0), "what may pass; not what was refused"
    assert archive.ids()[3:] == [second]
    assert (await archive.write()).pending == 1
    assert (await archive.write(again=True)).asked == 1
    done = await archive.read(answered(second))
    assert (done.needs_review, done.missing) == (1, {})


async def test_the_same_bytes_are_asked_about_once(tmp_path: Path) -> None:
    pictures = paint(tmp_path / "photos", 2)
    copies = [tmp_path / "photos" / f"copy{number}.jpg" for number in range(2)]
    for copy in copies:
        copy.write_bytes(pictures[0].read_bytes())
    archive = Archive(tmp_path / "tags", [*pictures, copies[0]])
    written = await archive.write()
    assert (written.asked, written.same) == (2, 1)
    with closing(Ledger.create(archive.folder)) as ledger:
        ledger.add([listed(copies[1])])
    later = await archive.write()
    assert (later.asked, later.same, later.pending) == (0, 1, 3)
    done = await archive.read(*map(answered, archive.ids()))
    assert (done.needs_review, done.missing) == (4, {})
    assert [each.duplicate_of for each in archive.records()] == [None, None, 1, 1]


def changed(archive: Archive) -> Path:
    """The first picture, whose file has other bytes now."""
    place = Path(archive.records()[0].place)
    place.write_bytes(place.read_bytes() + b" ")
    return place


async def test_a_file_that_has_changed_takes_no_answer_of_its_old_bytes(archive: Archive) -> None:
    await archive.write()
    old = archive.ids()
    place = changed(archive)
    with closing(Ledger.create(archive.folder)) as ledger:
        ledger.add([listed(place)])
    done = await archive.read(*map(answered, old))
    assert (done.needs_review, done.unknown.count) == (2, 1)
    assert archive.records()[0].state is None
    assert (await archive.write()).asked == 1


async def test_pictures_that_cannot_be_sent_have_their_reason(tmp_path: Path) -> None:
    pictures = paint(tmp_path / "photos", 1)
    (tmp_path / "photos" / "notes.jpg").write_text("not a picture")
    archive = Archive(tmp_path / "tags", [*pictures, tmp_path / "photos" / "notes.jpg"])
    written = await archive.write()
    assert (written.asked, written.failed) == (1, 1)
    failed = archive.records()[1]
    assert failed.result is not None
    assert (failed.state, failed.result.errors[0].kind) == ("failed", "ImageUnreadable")


@pytest.mark.parametrize("bound", ["requests", "bytes"])
async def test_files_are_split(bound: str, tmp_path: Path) -> None:
    archive = Archive(tmp_path / "tags", paint(tmp_path / "photos", 5))
    size = len(json.dumps((await one_line(tmp_path)), ensure_ascii=False).encode())
    limits = FileLimits(requests=2) if bound == "requests" else FileLimits(bytes=2 * size + size // 2)
    written = await archive.write(limits=limits)
    assert [each.name for each in written.files] == [f"requests-v1-000{number}.jsonl" for number in (1, 2, 3)]
    assert [len(each.read_bytes().splitlines()) for each in written.files] == [2, 2, 1]
    assert len(set(archive.ids())) == 5
    done = await archive.read(answered(archive.ids()[0]))
    assert {name: missing.count for name, missing in done.missing.items()} == {
        "requests-v1-0001.jsonl": 1,
        "requests-v1-0002.jsonl": 2,
        "requests-v1-0003.jsonl": 1,
    }


async def one_line(tmp_path: Path) -> dict[str, Any]:
    archive = Archive(tmp_path / "one", paint(tmp_path / "one-photo", 1))
    await archive.write()
    return archive.lines()[0]


async def test_a_question_that_no_file_may_hold_is_refused_and_leaves_none(archive: Archive) -> None:
    with pytest.raises(BatchError, match=r"one request has [0-9,]+ bytes, and a file may have 1,000"):
        await archive.write(limits=FileLimits(bytes=1000))
    assert archive.lines() == []


async def test_answers_are_not_read_with_other_choices(archive: Archive) -> None:
    await archive.write()
    with pytest.raises(BatchError, match="no question was exported with these choices: model is not as it was"):
        await archive.read(answered(archive.ids()[0]), questions=offline(model="other"))


@pytest.mark.parametrize(
    ("context", "reader", "settings", "words", "hint"),
    [
        (Context(arm="reads"), "vllm", {}, "the arm reads asks several", "--arm fused"),
        (Context(arm="legacy"), "vllm", {}, "the arm legacy asks several", "--arm fused"),
        (Context(arm="hybrid"), "vllm", {}, "the arm hybrid asks several", "--arm fused"),
        (Context(adaptive=True), "vllm", {}, "may look twice", "--no-adaptive"),
        (Context(reply_format="compact"), "openai", {}, "JSON replies only", "--for vllm"),
        (Context(), "vllm", {"model": None}, "names its model", "--model NAME"),
    ],
)
def test_what_takes_more_than_one_question_is_refused(
    context: Context, reader: Reader, settings: dict[str, Any], words: str, hint: str
) -> None:
    with pytest.raises(SettingsError, match=words) as refused:
        offline(reader, context, **settings)
    assert hint in str(refused.value.hint)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def onelook(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "onelook", "batch", *words]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "COLUMNS": "300"})


def test_the_commands_ask_and_take_the_answers(here: Path) -> None:
    paint(here / "photos", 3)
    model = ("--model", "tiny")
    asked = onelook("export", "tags", "--openai-batch", "--pictures", "photos", *model)
    assert (asked.returncode, asked.stdout) == (0, "tags/openai-batch/requests-v1-0001.jsonl\n")
    assert "3 questions in 1 file" in asked.stderr
    lines = (here / "tags/openai-batch/requests-v1-0001.jsonl").read_text(encoding="utf-8").splitlines()
    ids = [json.loads(line)["custom_id"] for line in lines]
    (here / "out.jsonl").write_text("".join(json.dumps(answered(each)) + "\n" for each in ids[:2]))
    taken = onelook("import", "tags", "--openai-batch", "out.jsonl", *model)
    assert taken.returncode == 1
    assert "2 pictures: 0 ok, 2 to review, 0 failed" in taken.stderr
    assert f"pictures in requests-v1-0001.jsonl without an answer: 1\n  {ids[2]} (" in taken.stderr
    (here / "rest.jsonl").write_text(json.dumps(answered(ids[2])) + "\n")
    assert onelook("import", "tags", "--openai-batch", "out.jsonl", "rest.jsonl", *model).returncode == 0
    exported = onelook("export", "tags", "--to", "jsonl", "--out", "-")
    assert [json.loads(line)["category"] for line in exported.stdout.splitlines()] == ["building"] * 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["import", "nothing", "--openai-batch", "x.jsonl", "--model", "tiny"], "nothing holds no batch"),
        (["import", "tags", "x.jsonl"], "--openai-batch"),
        (["export", "tags", "--openai-batch", "--to", "csv", "--model", "tiny"], "leave one of them out"),
        (["export", "tags", "--openai-batch"], "--model NAME"),
    ],
)
def test_what_cannot_be_meant_is_refused(words: list[str], message: str, here: Path) -> None:
    refused = onelook(*words)
    assert refused.returncode == 2
    assert message in refused.stderr
    assert not (here / "nothing").exists()


ROOT = Path(__file__).parent.parent.parent
KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from onelook.batch.openai_batch import requests
from tests.batch.test_batch_openai_files import Archive

where, when, folder = sys.argv[1:]
owner, name = (Path, "replace") if where == "rename" else (requests.Requests, "keep")
real = getattr(owner, name)

def killed(self, *words):
    if "requests-" not in f"{self}{words}":  # another file is renamed
        return real(self, *words)
    if when == "after":
        real(self, *words)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(owner, name, killed)
asyncio.run(Archive(Path(folder), sorted((Path(folder).parent / "in").iterdir())).write())
"""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("where", ["rename", "ledger"])
async def test_a_killed_export_pays_for_no_question_twice(tmp_path: Path, where: str, when: str) -> None:
    """Whatever it left: the next export completes it, and all that can be sent can be imported."""
    paint(tmp_path / "in", 3)
    folder = tmp_path / "out"
    script = [sys.executable, "-c", KILLED, where, when, str(folder)]
    killed = await asyncio.create_subprocess_exec(*script, cwd=ROOT)
    assert await killed.wait() == -signal.SIGKILL
    archive = Archive(folder, [])
    sent = archive.ids()
    await archive.write()
    assert len(archive.ids()) == len(set(archive.ids())) == 3
    assert set(sent) <= set(archive.ids())
    imported = await archive.read(*(answered(each, completion(BUILDING)) for each in archive.ids()))
    assert (imported.needs_review, imported.unknown.count, imported.missing) == (3, 0, {})
