"""How a command ends that cannot begin: one line that says what is wrong, a hint, and the exit code 2."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

from onelook.errors import OnelookError, SettingsError

CANNOT_BEGIN = 2  # what shells and Typer use for a command line that cannot be run


@contextmanager
def reported() -> Iterator[None]:
    """An error that onelook raises on purpose becomes a line; a bug keeps its stack trace."""
    try:
        yield
    except OnelookError as error:
        fail(error)


@contextmanager
def needs_lab(what: str) -> Iterator[None]:
    """Around imports for `what` of packages that the extra `lab` brings."""
    try:
        yield
    except ModuleNotFoundError as missing:
        fail(SettingsError(f"{what} needs the package {missing.name}", hint="pip install 'onelook[lab]'"))


def fail(error: OnelookError) -> NoReturn:
    from rich.console import Console
    from rich.text import Text

    err = Console(stderr=True)
    err.print(Text.assemble(("error: ", "bold red"), error.message))
    if error.hint:
        err.print(Text.assemble(("hint: ", "bold"), error.hint))
    raise typer.Exit(CANNOT_BEGIN)
