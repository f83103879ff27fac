"""Options that several commands take together: a command takes the group as one parameter."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Annotated, Any, get_args, get_origin, get_type_hints


class OptionGroup:
    """The annotations of a subclass are options, as a command's parameters would be; an object has their values."""

    def __init__(self, **values: Any) -> None:
        vars(self).update(values)

    @property
    def given(self) -> dict[str, Any]:
        """The options that are on the command line; None means "not given"."""
        return {name: value for name, value in vars(self).items() if value is not None}


class Only:
    """`Annotated[Group, Only("model", "config")]`: a command that takes these options of the group, in this order."""

    def __init__(self, *names: str) -> None:
        self.names = names


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """`command` as Typer reads it: in the place of a parameter that is an `OptionGroup` stand the group's options."""
    signature = inspect.signature(command, eval_str=True)
    groups: dict[str, tuple[type[OptionGroup], list[inspect.Parameter]]] = {}
    parameters: list[inspect.Parameter] = []
    for parameter in signature.parameters.values():
        group, *only = _unwrapped(parameter.annotation)
        if isinstance(group, type) and issubclass(group, OptionGroup):
            options = list(_options(group, only))
            groups[parameter.name] = group, options
            parameters += options
        else:
            parameters.append(parameter)

    @wraps(command)
    def expanded(**values: Any) -> None:
        for name, (group, options) in groups.items():
            values[name] = group(**{option.name: values.pop(option.name) for option in options})
        command(**values)

    expanded.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return expanded


def _unwrapped(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) is Annotated else (annotation,)


def _options(group: type[OptionGroup], only: list[Only]) -> Iterator[inspect.Parameter]:
    options = get_type_hints(group, include_extras=True)
    for name in only[0].names if only else options:
        yield inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=getattr(group, name), annotation=options[name]
        )
