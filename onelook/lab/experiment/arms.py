"""What an experiment compares: choices of a run, and settings of the process, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel

from onelook.demo.checkpoint import with_demo_models
from onelook.engines.base import Engine
from onelook.engines.zero_shot.base import Router
from onelook.errors import ExperimentError, OnelookError
from onelook.prompts.languages import TEMPLATES
from onelook.prompts.taxonomy.document import load_taxonomy
from onelook.prompts.taxonomy.model import Taxonomy
from onelook.settings.choices import complete, default_choices
from onelook.settings.process import PASSWORD, Settings, load_settings
from onelook.types import Context

HIDDEN = frozenset({"api_key", "http"})


@dataclass(frozen=True, slots=True)
class ExperimentArm:
    """One arm: `context`, and `settings` that it changes, named as in a settings file (`model`, `router.threshold`).

    `engine` and `router` replace those of the settings. Arms with the same settings, engine and router share a model.
    """

    context: Context = field(default_factory=Context)
    settings: Mapping[str, Any] = field(default_factory=dict)
    engine: Engine | None = None
    router: Router | None = None


@dataclass(frozen=True, slots=True)
class PreparedArm:
    """An arm with all of its choices made. `settings`: those of its Tagger, without an answer cache."""

    name: str
    context: Context
    settings: Settings
    taxonomy: Taxonomy
    changed: Mapping[str, str]
    """The settings that it changes, as text, for the design."""
    engine: Engine | None = None
    router: Router | None = None

    def shares_with(self, other: PreparedArm) -> bool:
        """Whether one Tagger serves both."""
        return self.settings == other.settings and self.engine is other.engine and self.router is other.router

    def renamed(self, name: str) -> PreparedArm:
        return replace(self, name=name)


def prepare(arms: Mapping[str, Context | ExperimentArm], settings: Settings) -> list[PreparedArm]:
    """The arms in order, on top of `settings`.

    Raises:
        ExperimentError: there are fewer than two, or an arm's settings or choices are wrong; the message has its name.
    """
    if len(arms) < 2:
        raise ExperimentError(
            f"an experiment compares at least two arms, and has {', '.join(arms) or 'none'}",
            hint="name another one, for example --arm fused --arm reads; Experiment(album, {name: Context(…), …})",
        )
    prepared = []
    for name, arm in arms.items():
        try:
            prepared.append(_prepare(name, arm, settings))
        except OnelookError as error:
            raise ExperimentError(f"arm {name}: {error.message}", hint=error.hint) from error
    return prepared


def _prepare(name: str, arm: Context | ExperimentArm, base: Settings) -> PreparedArm:
    arm = ExperimentArm(arm) if isinstance(arm, Context) else arm
    settings = with_demo_models(changed_settings(base, arm.settings))
    settings = settings.model_copy(update={"cache": "off"})
    taxonomy = load_taxonomy(settings.taxonomy, settings.templates or TEMPLATES)
    context = complete(arm.context, default_choices(settings.run, taxonomy.languages))
    shared = settings.model_copy(update={"run": Context()})  # every choice is in the context
    return PreparedArm(
        name=name,
        context=Context.model_validate(context.model_dump()),
        settings=shared,
        taxonomy=taxonomy,
        changed={
            key: PASSWORD.sub("//***@", str(value)) for key, value in sorted(arm.settings.items()) if key not in HIDDEN
        },
        engine=arm.engine,
        router=arm.router,
    )


def changed_settings(base: Settings, changes: Mapping[str, Any]) -> Settings:
    """`base` with `changes`, each validated; a dotted name changes one setting of a group.

    Raises:
        SettingsError: a name or a value is wrong.
    """
    if not changes:
        return base
    given: dict[str, Any] = {name: getattr(base, name) for name in Settings.model_fields}
    for name, value in changes.items():
        head, _, rest = name.partition(".")
        if not rest:
            given[head] = value
            continue
        group = given.get(head)
        inner = group.model_dump(exclude_unset=True) if isinstance(group, BaseModel) else dict(group or {})
        given[head] = inner | {rest: value}
    return load_settings(**given)
