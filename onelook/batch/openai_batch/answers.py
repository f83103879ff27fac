"""Reads what came back: a line of a result file or an error file, judged by its status and its body."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from onelook.engines.base import Reply
from onelook.engines.openai.response import read_completion
from onelook.engines.openai.server import error_text, fit_for_message, status_error
from onelook.errors import BatchError, EngineError, EngineFailed, EngineIncapable
from onelook.images.printable import printable


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """One line: what it answers, and the reply, or why there is none. `where`: file and line, for messages."""

    where: str
    custom_id: str
    outcome: Reply | EngineError


@dataclass(frozen=True, slots=True)
class BrokenLine:
    """A line that is no answer to anything, such as the last one of a file that was cut off."""

    where: str
    why: str


def read_answers(file: Path) -> Iterator[AnswerLine | BrokenLine]:
    """Each line in turn. Raises `BatchError` where the file cannot be read."""
    try:
        with file.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _read(line, f"{printable(file.name)}, line {number}")
    except OSError as error:
        raise BatchError(
            f"{printable(str(file))} cannot be read: {error.strerror}", hint="name the result files"
        ) from None


def _read(line: bytes, where: str) -> AnswerLine | BrokenLine:
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return BrokenLine(where, f"is no JSON ({error})")
    if not isinstance(found, dict) or not isinstance(found.get("custom_id"), str):
        return BrokenLine(where, "has no custom_id")
    if "body" in found and "response" not in found:
        return BrokenLine(where, "is a question, not an answer: give the files that came back")
    try:
        return AnswerLine(where, found["custom_id"], _reply(found, where))
    except EngineError as error:
        return AnswerLine(where, found["custom_id"], error)


def _reply(line: dict[str, Any], where: str) -> Reply:
    """The reply.

    A body can be an error under status 200, vLLM writes its errors beside a response without a body, and OpenAI's
    requests that expired have no response at all.

    Raises:
        EngineError: there is no usable reply.
    """
    response = line.get("response")
    status = response.get("status_code") if isinstance(response, dict) else None
    body = response.get("body") if isinstance(response, dict) else None
    if status == 200 and isinstance(body, dict) and not line.get("error"):
        return read_completion(body, where)
    content = orjson.dumps(line.get("error") or body)
    message = fit_for_message(error_text(content))
    if isinstance(status, int) and status != 200:
        error = status_error(status, message, where, content=content)
        raise error or EngineIncapable(f"{where} answered HTTP {status}: {message}")
    raise EngineFailed(f"{where} has no answer: {message}", hint="export the questions once more")
