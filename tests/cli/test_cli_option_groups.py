"""A command that takes a group of options: what its help lists, and what it gets."""

from __future__ import annotations

from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from onelook.cli.option_groups import Only, OptionGroup, grouped


class Frame(OptionGroup):
    width: Annotated[int | None, typer.Option("--width", "-w", help="In pixels.")] = None
    colour: str | None = None
    matt: bool | None = None


def hang(nail: int = 1, *, frame: Annotated[Frame, Only("matt", "width")], high: bool = False) -> None:
    typer.echo(f"{nail} {frame.width} {frame.colour} {frame.matt} {high}")


def pair(one: Frame, other: Annotated[Frame, Only("colour")]) -> None:
    """The same option twice."""


def depth(frame: Annotated[Frame, Only("depth")]) -> None:
    """A name that the group does not have."""


def app_of(command: object) -> typer.Typer:
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command()(grouped(command))  # type: ignore[arg-type]
    return app


def test_the_options_stand_in_the_place_of_the_group() -> None:
    shown = CliRunner().invoke(app_of(hang), ["--help"]).output
    places = [shown.index(each) for each in ("--nail", "--matt / --no-matt", "-w, --width <int>", "--high")]
    assert places == sorted(places)
    assert "In pixels." in shown
    assert "--colour" not in shown


def test_a_command_gets_what_is_on_the_command_line() -> None:
    assert CliRunner().invoke(app_of(hang), ["--nail", "2", "-w", "3", "--no-matt"]).output == "2 3 None False False\n"
    assert CliRunner().invoke(app_of(hang), ["--high"]).output == "1 None None None True\n"
    wrong = CliRunner().invoke(app_of(hang), ["-w", "wide"])
    assert wrong.exit_code == 2
    assert "--width" in wrong.output


def test_an_option_that_the_group_lacks_is_refused_at_once() -> None:
    with pytest.raises(AttributeError, match="depth"):
        grouped(depth)


def test_two_groups_cannot_have_the_same_option() -> None:
    with pytest.raises(ValueError, match="colour"):
        grouped(pair)
