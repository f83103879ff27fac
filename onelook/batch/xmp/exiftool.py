"""ExifTool, where it is installed: one process that stays open for many pictures (https://exiftool.org, its option
`-stay_open`). It is a program beside ours, under the Artistic License or the GPL, no part of it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from onelook.errors import MetadataError

PROGRAM: Final = "exiftool"

UNTIL_CLOSED: Final = r'(cat; printf "\n-stay_open\nFalse\n") | "$0" "$@"'
"""ExifTool waits for ever where its input just ends, as it does when this process is killed: then the shell ends it."""


class ExifTool:
    """A process that answers one command after another; begun when it is first asked. Not for several threads."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self._number = 0

    @classmethod
    def find(cls) -> Self | None:
        """None where no ExifTool is on the PATH."""
        program = shutil.which(PROGRAM)
        return None if program is None else cls(program)

    def run(self, *arguments: str) -> tuple[bytes, str]:
        """Standard output, and what was said on standard error.

        Raises:
            MetadataError: the program ended.
        """
        if any("\n" in each or "\r" in each for each in arguments):  # the open process takes an argument a line
            return self._run_alone(*arguments)
        process = self._started()
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise AssertionError("the pipes are open")
        self._number += 1
        end = f"{{ready{self._number}}}\n".encode()
        # -echo4 goes to standard error when the command is done, as {ready} goes to standard output.
        lines = [*arguments, "-echo4", end.decode().strip(), f"-execute{self._number}"]
        try:
            process.stdin.write(b"".join(os.fsencode(each) + b"\n" for each in lines))
            process.stdin.flush()
        except OSError:
            raise self._ended() from None
        return self._read(process.stdout, end), self._read(process.stderr, end).decode(errors="replace").strip()

    def close(self) -> None:
        if self._process is None:
            return
        process, self._process = self._process, None
        try:
            process.communicate(b"-stay_open\nFalse\n")
        except OSError:  # it has ended already
            process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            # No configuration of the user: it is a Perl program, and could give tags other meanings.
            command = [self._program, "-config", "", "-stay_open", "True", "-@", "-"]
            if os.name == "posix":
                command = ["/bin/sh", "-c", UNTIL_CLOSED, *command]
            pipe = subprocess.PIPE
            # In a group of its own: Ctrl-C in the terminal is for us, and we let it finish.
            self._process = subprocess.Popen(  # noqa: S603
                command, stdin=pipe, stdout=pipe, stderr=pipe, process_group=0
            )
        return self._process

    def _run_alone(self, *arguments: str) -> tuple[bytes, str]:
        command = [self._program, "-config", "", *arguments]
        done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603
        return done.stdout, done.stderr.decode(errors="replace").strip()

    def _read(self, pipe: IO[bytes], end: bytes) -> bytes:
        lines = list[bytes]()
        while not (lines and lines[-1].endswith(end)):
            line = pipe.readline()
            if not line:
                raise self._ended()
            lines.append(line)
        return b"".join(lines).removesuffix(end)

    def _ended(self) -> MetadataError:
        self.close()
        return MetadataError("ExifTool ended while it had this picture", hint="try `exiftool FILE` on it")


def path_argument(path: Path) -> str:
    """Absolute, so that no name begins with a dash."""
    return str(path.absolute())
