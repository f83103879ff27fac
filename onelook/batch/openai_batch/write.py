"""Writes the questions about all pictures that have no answer into files of the OpenAI batch format."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import orjson
from langgraph.runtime import Runtime

from onelook.answering.ask import ask_request
from onelook.answering.bug import bug_result
from onelook.answering.failure import failed_result
from onelook.batch.entries import State, Todo
from onelook.batch.export.aside import aside, reporting
from onelook.batch.ledger import Ledger
from onelook.batch.openai_batch.offline import Offline
from onelook.batch.openai_batch.requests import Asked, Requests, custom_id
from onelook.batch.replacing import left_over
from onelook.batch.row import Source, identify, is_still
from onelook.errors import BatchError, OnelookError
from onelook.images.source import describe
from onelook.nodes.prepare import prepare
from onelook.result import TagResult
from onelook.settings.hints import set_to

URL: Final = "/v1/chat/completions"
READ_AHEAD: Final = 256
AGAIN: Final[tuple[State, ...]] = ("may_pass",)


@dataclass(frozen=True, slots=True)
class FileLimits:
    """OpenAI takes 50,000 requests and 200 MB in a file (https://platform.openai.com/docs/guides/batch)."""

    requests: int = 50_000
    bytes: int = 200_000_000


@dataclass(slots=True)
class Written:
    """What became of the pictures without an answer. `asked`: in the new `files`; `same`: their bytes are asked about
    for another picture; `pending`: in a file that was written before; `answered`: the answer to their bytes was there;
    `failed`: they cannot be sent, and the reason is in the ledger."""

    files: list[Path]
    asked: int = 0
    same: int = 0
    pending: int = 0
    answered: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class _Prepared:
    """`line` and `asked`, or the `failure`."""

    todo: Todo
    sha256: bytes | None
    line: bytes = b""
    asked: Asked | None = None
    failure: TagResult | None = None


class RequestFiles:
    """The files, one after another. Each is written aside, kept in the ledger once it is whole, and only then renamed:
    a file that somebody can send is one whose answers can be imported. One whose renaming a kill prevented is renamed
    by the next export (`take_up`)."""

    def __init__(self, out: Path, folder: Path, limits: FileLimits, requests: Requests, version: int) -> None:
        self.files: list[Path] = []
        self._out, self._folder, self._limits, self._requests = out, folder, limits, requests
        self._name = f"requests-v{version}"
        self._stack = ExitStack()
        self._file: BinaryIO | None = None
        self._bytes = 0
        self._asked: list[Asked] = []

    def take_up(self) -> None:
        """Files that are in the ledger, and whose process was killed before it could rename them."""
        with reporting(self._out):
            for name in self._requests.files() if self._out.is_dir() else ():
                file = self._out / name
                if not file.exists() and (left := left_over(file)) is not None:
                    left.replace(file)
                    self.files.append(file)

    def add(self, line: bytes, asked: Asked) -> str:
        """The name of the file that it is in.

        Raises `BatchError` for a line that no file may hold, or if the file cannot be written."""
        if len(line) > self._limits.bytes:
            raise BatchError(
                f"one request has {len(line):,} bytes, and a file may have {self._limits.bytes:,}",
                hint=f"allow more with --max-file-mb, or send smaller pictures: {set_to(ONELOOK_RUN__LONG_EDGE=512)}",
            )
        if len(self._asked) == self._limits.requests or self._bytes + len(line) > self._limits.bytes:
            self.finish()
        if self._file is None:
            self._file = self._begin()
        with reporting(self.files[-1]):
            self._file.write(line)
        self._bytes += len(line)
        self._asked.append(asked)
        return self.files[-1].name

    def _begin(self) -> BinaryIO:
        with reporting(self._out):
            self._out.mkdir(parents=True, exist_ok=True)
            names = {*self._requests.files(), *(each.name for each in self._out.iterdir())}
        taken = [re.fullmatch(rf"{self._name}-(\d+)\.jsonl", each) for each in names]
        number = max((int(found[1]) for found in taken if found), default=0) + 1
        path = self._out / f"{self._name}-{number:04}.jsonl"
        part = self._stack.enter_context(aside(path, self._folder))
        self.files.append(path)
        return self._stack.enter_context(part.open("wb"))

    def finish(self) -> None:
        """The file that is being written is whole."""
        if self._file is None:
            return
        name = self.files[-1].name
        with reporting(self.files[-1]):
            self._file.flush()
            os.fsync(self._file.fileno())
        self._requests.keep(name, self._asked)
        try:
            self._stack.close()
        except BaseException:
            self._requests.forget(name)
            raise
        self._file, self._bytes, self._asked = None, 0, []

    def abandon(self, error: BaseException) -> None:
        """Remove the file that is not whole."""
        self._stack.__exit__(type(error), error, error.__traceback__)


async def write_requests(
    offline: Offline,
    ledger: Ledger,
    out: Path,
    limits: FileLimits,
    *,
    again: bool = False,
    on_picture: Callable[[], None] = lambda: None,
) -> Written:
    """Questions go into files in the folder `out`, pictures that cannot be sent into the ledger as failed.

    `again`: write those once more that are in an earlier file and have no answer yet.

    Raises:
        BatchError: a file or the ledger cannot be written. Files that were whole are kept.
    """
    version = ledger.version(offline.fingerprint)
    requests = Requests(ledger, version)
    files = RequestFiles(out, ledger.folder, limits, requests, version)
    written = Written(files.files)
    file_of: dict[bytes, str] = {}
    twins: list[tuple[str, Asked]] = []
    files.take_up()
    try:
        async for each in _prepared(offline, ledger, version, requests, written, again):
            on_picture()
            if each.failure is not None:
                ledger.record(version, each.todo.picture, each.sha256, each.failure)
                written.failed += 1
            elif each.asked is not None:
                earlier = file_of.get(each.asked.sha256) or (None if again else requests.file_with(each.asked.sha256))
                if earlier is not None:
                    twins.append((earlier, each.asked))
                    written.same += 1
                    continue
                file_of[each.asked.sha256] = files.add(each.line, each.asked)
                written.asked += 1
        files.finish()
    except BaseException as error:
        files.abandon(error)
        raise
    for name, asked in twins:
        requests.keep(name, [asked])
    return written


async def _prepared(
    offline: Offline, ledger: Ledger, version: int, requests: Requests, written: Written, again: bool
) -> AsyncIterator[_Prepared]:
    """In the order of listing, a few at a time."""
    after, at_once = 0, max(2, offline.services.settings.concurrency)
    while rows := ledger.todo(version, after=after, at_most=READ_AHEAD, again=AGAIN):
        after = rows[-1].picture
        waiting = [
            each for each in rows if not (again or each.unchecked) and requests.file_of(each.picture) is not None
        ]
        written.pending += len(waiting)
        left = [each for each in rows if each not in waiting]
        for first in range(0, len(left), at_once):
            chunk = left[first : first + at_once]
            for each in await asyncio.gather(*(_prepare(offline, todo) for todo in chunk)):
                kept = None if each.sha256 is None else ledger.answer(version, each.sha256)
                if kept is None or each.sha256 is None:
                    yield each
                    continue
                status = TagResult.model_validate_json(kept.result).status
                ledger.point(version, each.todo.picture, each.sha256, kept, "ok" if status == "ok" else "needs_review")
                written.answered += 1


async def _prepare(offline: Offline, todo: Todo) -> _Prepared:
    services, context = offline.services, offline.context
    place = todo.place.decode(errors="surrogateescape")
    source: Source = await identify(place, services.limits)
    question = services.prompts[context.language].fused(context.reply_format)
    try:
        state = await prepare(services, {"image": source.subject}, Runtime(context=context))
        request = ask_request(services, question, state["pictures"])
    except OnelookError as error:
        failure = failed_result(services, context, error, "prepare").model_copy(update={"source": describe(place)})
        return _Prepared(todo, source.sha256, failure=failure)
    except Exception as error:  # noqa: BLE001 - a bug ends no other picture; its trace is logged
        return _Prepared(todo, source.sha256, failure=bug_result(services, context, error, describe(place)))
    # It could be read for the second time and not for the first, or was written in between.
    if source.sha256 is None or not await is_still(place, source, services.limits):
        return await _prepare(offline, todo)
    (picture,) = state["pictures"]
    body = offline.engine.request_body(request, offline.served)
    line = {
        "custom_id": custom_id(offline.fingerprint.digest, source.sha256),
        "method": "POST",
        "url": URL,
        "body": {name: value for name, value in body.items() if name not in offline.left_out},
    }
    asked = Asked(todo.picture, source.sha256, picture.width, picture.height)
    return _Prepared(todo, source.sha256, orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE), asked)


def total(files: Sequence[Path]) -> int:
    """Their size in bytes."""
    return sum(each.stat().st_size for each in files)
