"""A command that is imported only when it runs, and is listed in the help before that.

Its help is Click's plain one: Typer's table cuts the names of options off in a terminal of 80 columns.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Mapping
from functools import partial
from importlib import import_module
from keyword import iskeyword
from typing import Any, ClassVar

import typer.main
from typer.core import TyperCommand, TyperGroup

NARROW = 70  # columns
NAMES = 6  # columns for the names of options in a narrow terminal; a longer name has a line of its own
COMMANDS = "onelook.cli.commands"


class HelpContext(typer.Context):
    """In a narrow terminal the descriptions of options get nearly the whole line, not what the names leave of it."""

    def make_formatter(self) -> Any:
        formatter: Any = super().make_formatter()
        if formatter.width < NARROW:
            formatter.write_dl = partial(formatter.write_dl, col_max=NAMES)
        return formatter


class LazyCommand(TyperCommand):
    """Stands in a group for the Typer object `app` of a module of `package`."""

    def __init__(self, name: str, help_line: str, package: str = COMMANDS) -> None:
        super().__init__(name, help=help_line, short_help=help_line)
        self.module = f"{package}.{name.replace('-', '_')}{'_' if iskeyword(name) else ''}"

    def load(self) -> Any:
        """The command itself."""
        command: Any = typer.main.get_command(import_module(self.module).app)
        parts: Iterable[Any] = getattr(command, "commands", {}).values()
        for each in (command, *parts):
            each.rich_markup_mode = None
            each.context_class = HelpContext
        for part in parts:  # a short help is never cut off
            part.short_help = part.help.split("\n\n")[0]
        return command

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Parse `args` with the command itself; the group then invokes the command that the context names.

        What the import creates stays until the process ends: searching it for garbage, again and again while it grows,
        took a tenth of the time of `onelook tag` on one picture.
        """
        gc.disable()
        command = self.load()
        gc.freeze()
        gc.enable()
        return command.make_context(info_name, args, parent=parent, **extra)


class LazyGroup(TyperGroup):
    """A group whose subclass lists its commands in `help_lines`: each name, with the line that the help shows."""

    help_lines: ClassVar[Mapping[str, str]]
    package: ClassVar[str] = COMMANDS
    context_class = HelpContext

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for name, help_line in self.help_lines.items():
            self.add_command(LazyCommand(name, help_line, self.package))


class RunGroup(LazyGroup):
    """What does not begin with a command's name is the command `run`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ("--help", "--version"):
            args = ["run", *args]
        return list(super().parse_args(ctx, args))
