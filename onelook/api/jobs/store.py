"""Jobs on disk: each is a batch's folder, with its pictures and what the caller chose beside the ledger.

    FOLDER/<id>/job.json       the job as it was asked for
    FOLDER/<id>/pictures/      the uploaded files, until the job ends
    FOLDER/<id>/ledger.sqlite  what is done
    FOLDER/<id>/cancel         somebody cancelled it
    FOLDER/<id>/ended.json     how it ended, and when

    FOLDER/creating.lock       held by whoever makes a job

A job is written aside and renamed, so that there is a whole one or none. Every server process reads and makes jobs; one
of them runs them.
"""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

from filelock import FileLock
from pydantic import Field, ValidationError

from onelook.api.parsed_request import ParsedRequest
from onelook.batch.entries import How, Listed
from onelook.batch.ledger import Ledger
from onelook.batch.replacing import replacing
from onelook.errors import BatchError, ImageError
from onelook.images.limits import Limits
from onelook.images.memory import InMemory
from onelook.images.source import is_url, read_local
from onelook.types import Frozen, Subject

JOB, ENDED, CANCEL, PICTURES = "job.json", "ended.json", "cancel", "pictures"
UNFINISHED: Final = ".new-"
SURELY_DEAD_S: Final = 3600.0
ROOM_BYTES: Final = 1 << 16
"""With less, the outcome of a picture may not be kept."""


class Job(Frozen):
    """A job as it was asked for. `key` and `body`: the caller's Idempotency-Key, and the hash of the request's body."""

    id: str
    created: float = Field(description="Seconds since 1970.")
    ids: tuple[str, ...]
    names: tuple[str, ...]
    choices: Mapping[str, Any]
    key: str | None = None
    body: str | None = None


class Ended(Frozen):
    how: How
    at: float
    reason: str | None = None


class JobStore:
    """Blocking: to be called in a thread."""

    def __init__(self, folder: Path, limits: Limits, *, keep_s: float) -> None:
        self.folder = folder
        self._limits = limits
        self._keep_s = keep_s

    def prepare(self) -> None:
        """Make the folder, and remove what a killed process left behind.

        Raises:
            BatchError: it cannot be made.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for each in self.folder.glob(f"{UNFINISHED}*"):
                if each.stat().st_mtime + SURELY_DEAD_S < time.time():  # another process may be writing it
                    shutil.rmtree(each, ignore_errors=True)
        except OSError as error:
            raise BatchError(
                f"the folder of jobs {self.folder}: {error.strerror}", hint="ONELOOK_HTTP__JOBS names another"
            ) from None

    def creating(self) -> FileLock:
        """Held while one process looks for a job and makes it, so that a key that comes twice at once makes one."""
        return FileLock(self.folder / "creating.lock")

    def create(self, parsed: ParsedRequest, key: str | None, body: str) -> Job:
        """Raises `OSError` or `BatchError` where it cannot be written."""
        job = Job(
            id=uuid.uuid4().hex,
            created=time.time(),
            ids=tuple(parsed.ids),
            names=tuple(name or "" for name in parsed.names),
            choices=parsed.context.model_dump(mode="json", exclude_unset=True),
            key=key,
            body=body,
        )
        new, final = self.folder / f"{UNFINISHED}{job.id}", self.folder / job.id
        try:
            (new / PICTURES).mkdir(parents=True)
            listed = [
                self._keep(subject, new / PICTURES / f"{index:06}", final / PICTURES / f"{index:06}")
                for index, subject in enumerate(parsed.subjects)
            ]
            with closing(Ledger.create(new)) as ledger:
                ledger.add(listed)
            _write(new / JOB, job.model_dump_json())
            new.rename(final)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
        return job

    def _keep(self, subject: Subject, file: Path, later: Path) -> Listed:
        """A picture's bytes go into `file`. A URL stays one, and so does what cannot be read: its run reports why."""
        reference = given_reference(subject)
        if isinstance(reference, str) and is_url(reference):
            # Two pictures of one job may have one URL; a place is there once, and a fragment is never sent.
            return Listed(f"{reference.split('#', 1)[0]}#{file.name}".encode(errors="surrogateescape"))
        data: object = b""
        with suppress(ImageError):
            data = read_local(reference, self._limits)
        content = data if isinstance(data, bytes) and data else str(reference)[:100].encode(errors="replace")
        file.write_bytes(content)
        return Listed(os.fsencode(later.absolute()), None, len(content), 0)

    def jobs(self) -> Iterator[Job]:
        """From the oldest to the newest."""
        found = [job for each in self.folder.glob("*/job.json") if (job := self.find(each.parent.name)) is not None]
        return iter(sorted(found, key=lambda job: (job.created, job.id)))

    def find(self, id_: str) -> Job | None:
        if not id_.isalnum():  # never a path
            return None
        try:
            return Job.model_validate_json((self.folder / id_ / JOB).read_bytes())
        except (OSError, ValidationError):
            return None

    def by_key(self, key: str) -> Job | None:
        return next((job for job in self.jobs() if job.key == key), None)

    def ended(self, job: Job) -> Ended | None:
        try:
            return Ended.model_validate_json((self.folder / job.id / ENDED).read_bytes())
        except (OSError, ValidationError):
            return None

    def cancelled(self, job: Job) -> bool:
        return (self.folder / job.id / CANCEL).exists()

    def cancel(self, job: Job) -> None:
        with suppress(FileNotFoundError):
            (self.folder / job.id / CANCEL).touch()

    def end(self, job: Job, how: How, reason: str | None = None) -> None:
        """Its pictures are not needed any more."""
        _write(self.folder / job.id / ENDED, Ended(how=how, at=time.time(), reason=reason).model_dump_json())
        shutil.rmtree(self.folder / job.id / PICTURES, ignore_errors=True)

    def remove(self, job: Job) -> None:
        self.cancel(job)
        gone = self.folder / f"{UNFINISHED}{job.id}"
        with suppress(FileNotFoundError):
            (self.folder / job.id).rename(gone)
        shutil.rmtree(gone, ignore_errors=True)

    def waiting(self) -> Sequence[Job]:
        """Those that have not ended. What ended too long ago is removed."""
        found = []
        for job in self.jobs():
            ended = self.ended(job)
            if ended is None:
                found.append(job)
            elif ended.at + self._keep_s < time.time():
                with suppress(OSError):  # the next time
                    self.remove(job)
        return found

    def check_writable(self) -> None:
        """Raises `OSError` where the folder has no room for the outcome of a picture, or cannot be written."""
        probe = self.folder / f"{UNFINISHED}{uuid.uuid4().hex}"
        try:
            probe.write_bytes(bytes(ROOM_BYTES))
        finally:
            with suppress(OSError):
                probe.unlink(missing_ok=True)

    def trouble(self) -> str | None:
        """Why jobs wait, without a path: any process may ask."""
        try:
            if shutil.disk_usage(self.folder).free < ROOM_BYTES:
                return "the server's disk is full: its jobs go on when there is room"
            if not os.access(self.folder, os.W_OK):
                return "the server cannot write the folder of its jobs"
        except OSError:
            return "the server cannot read the folder of its jobs"
        return None


def given_reference(subject: Subject) -> object:
    """The one picture of `subject` as the caller gave it: bytes or text."""
    (reference,) = subject if isinstance(subject, list | tuple) else (subject,)
    while isinstance(reference, InMemory):
        reference = reference.reference
    return reference


def _write(file: Path, text: str) -> None:
    with replacing(file) as part:
        part.write_text(text, encoding="utf-8")
