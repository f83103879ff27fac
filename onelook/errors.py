"""Every error that onelook raises on purpose.

    OnelookError
    ├── UserError              the caller can fix it
    │   ├── SettingsError        a setting, an option or a run's choice is wrong
    │   ├── TaxonomyError        the taxonomy document is wrong (file, line, key path)
    │   ├── PromptError          a prompt template is wrong
    │   ├── TableError           a CSV, JSONL or Parquet file cannot be read as a table
    │   ├── LabelsError          labels of pictures are wrong (all mistakes, with their lines)
    │   ├── BatchError           a batch's folder, manifest or export is wrong
    │   │   ├── LedgerDamaged      its SQLite file is damaged, or is none
    │   │   └── DiskFull           no room to write; it may work later (retryable)
    │   ├── MetadataError        tags cannot be written to this picture's sidecar, or into it
    │   ├── ExperimentError      an experiment's design, arm or folder is wrong
    │   └── ImageError           this picture cannot be used
    │       ├── ImageNotFound      no such file, or nothing behind the URL
    │       ├── ImageRefused       a place that settings do not allow to be read
    │       ├── ImageTooLarge      over the limit of bytes or pixels
    │       ├── ImageUnreadable    not a picture, truncated, or a format we do not read
    │       └── ImageUnreachable   the download failed, or the file is being written; it may work later (retryable)
    └── EngineError            the model or its server did not deliver
        ├── EngineUnavailable    nothing answers at the address (retryable)
        ├── EngineTimeout        no answer in time (retryable)
        │   └── DeadlinePassed     no answer before the caller's own deadline
        ├── EngineFailed         the server failed, HTTP 5xx (retryable)
        │   └── EngineOverloaded   it takes no requests for now, HTTP 429 or 503 (retryable)
        ├── EngineRefused        the server refused the request, HTTP 4xx
        ├── EngineIncapable      a needed capability, model or package is missing
        └── ReplyError           an answer came, but it is not usable
            ├── ReplyInvalid       it breaks the constraint
            └── ReplyTruncated     it was cut off at the token limit

A bug is none of these: it keeps its own type and its stack trace.
"""

from __future__ import annotations

from typing import ClassVar


class OnelookError(Exception):
    """Base of all. `hint` says what to do next; `retryable` whether the same request may work later."""

    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint

    @property
    def message(self) -> str:
        return str(self.args[0])


class UserError(OnelookError):
    """The caller can fix it."""


class SettingsError(UserError):
    """A setting, an option or a run's choice is wrong."""


class TaxonomyError(UserError):
    """The taxonomy document is wrong; the message names file, line and key path."""


class PromptError(UserError):
    """A prompt template is wrong."""


class TableError(UserError):
    """A CSV, JSONL or Parquet file cannot be opened, decoded or read as a table."""


class LabelsError(UserError):
    """Labels of pictures are wrong; the message lists the mistakes with their lines."""


class BatchError(UserError):
    """The folder of a batch, its manifest or its export is wrong."""


class LedgerDamaged(BatchError):
    """The SQLite file of a batch is damaged, or is none."""


class DiskFull(BatchError):
    """There is no room to write; it may work later."""

    retryable = True


class MetadataError(UserError):
    """Tags cannot be written to this picture's sidecar, or into the picture."""


class ExperimentError(UserError):
    """The design of an experiment, one of its arms or its folder is wrong."""


class ImageError(UserError):
    """This picture cannot be used. `picture`: which of a subject's pictures, counted from 0, where that is known."""

    picture: int | None = None


class ImageNotFound(ImageError):
    """No such file, or nothing behind the URL."""


class ImageRefused(ImageError):
    """The settings do not allow reading from the picture's place."""


class ImageTooLarge(ImageError):
    """Over the limit of bytes or pixels."""


class ImageUnreadable(ImageError):
    """Not a picture, truncated, or a format that we do not read."""


class ImageUnreachable(ImageError):
    """The download failed, or the file is being written; it may work later."""

    retryable = True


class EngineError(OnelookError):
    """The model or its server did not deliver.

    `retry_after_s`: the server takes no request for so many seconds, and the caller cannot wait that long.
    """

    def __init__(self, message: str, *, hint: str | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class EngineUnavailable(EngineError):
    """Nothing answers at the address."""

    retryable = True


class EngineTimeout(EngineError):
    """No answer in time."""

    retryable = True


class DeadlinePassed(EngineTimeout):
    """No answer before the caller's own deadline, so another attempt in the same run would come too late as well."""

    retryable = False


class EngineFailed(EngineError):
    """The server failed (HTTP 5xx)."""

    retryable = True


class EngineOverloaded(EngineFailed):
    """The server takes no requests for now (HTTP 429 or 503)."""


class EngineRefused(EngineError):
    """The server refused the request (HTTP 4xx): the same request will be refused again."""


class EngineIncapable(EngineError):
    """A needed capability, model or package is missing."""


class ReplyError(EngineError):
    """An answer came, but it is not usable."""


class ReplyInvalid(ReplyError):
    """The answer breaks the constraint that it was asked to keep."""


class ReplyTruncated(ReplyError):
    """The answer was cut off at the token limit."""
