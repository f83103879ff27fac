"""What a run sends to the model: the real graph and the real client, on a server that keeps what it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

from PIL import Image

from onelook.answering.requirements import refuse_unmet
from onelook.answering.workload import questions_of
from onelook.engines.openai.engine import OpenAIEngine
from onelook.engines.openai.recording import RecordingServer, Sent
from onelook.engines.scripted import ScriptedRouter
from onelook.errors import EngineError, SettingsError
from onelook.prompts.taxonomy.model import Taxonomy
from onelook.settings.choices import complete
from onelook.settings.process import Settings
from onelook.tagger import Tagger
from onelook.types import Answer, Context, Language

STAND_IN = (1024, 768)
"""Pixels of the picture that is asked about where the caller names none."""


@dataclass(frozen=True, slots=True)
class SentPrompts:
    """The requests of one run in their order, and what they depend on.

    `category`: the one that the run took the picture for; `named`: whether the caller named it. `unreachable`: why the
    server could not be asked which model it has, where it should have been.
    """

    context: Context
    category: str
    named: bool
    requests: tuple[Sent, ...]
    unreachable: EngineError | None


async def sent_prompts(
    settings: Settings, context: Context, *, category: str | None = None, pictures: Sequence[str] = ()
) -> SentPrompts:
    """Run the graph once; nothing is sent but the question which model the server has, where one is set.

    `category`: an id or a label; in the arm hybrid, None is for a router that is not sure. `pictures`: of one subject.

    Raises:
        UserError: a choice, the taxonomy, a template or a picture is wrong.
        EngineIncapable: the server has another model than the settings name, or cannot be asked so.
    """
    answers: dict[str, str] = {}
    make_server = partial(
        RecordingServer,
        answer=answers.__getitem__,
        ask_server=settings.engine == "vllm",
        model=settings.model,
    )
    address = settings.replicas[0] if settings.replicas else settings.base_url  # replicas get the same requests
    engine = OpenAIEngine.from_settings(settings.model_copy(update={"base_url": address}), make_server)
    server = cast("RecordingServer", engine.server)
    router = ScriptedRouter([])
    async with Tagger(_alone(settings), engine, router=router) as tagger:
        services = tagger.services
        context = complete(context, services.run).model_copy(update={"adaptive": False})
        prompts = services.prompts[context.language]
        taken_for = _category(services.taxonomy, context.language, category)
        named = category is not None
        router.script = [[float(named and id_ == taken_for) for id_ in services.routes]]
        await engine.served()
        refuse_unmet(services, context)
        right = _any_answer(services.taxonomy, taken_for)
        answers.update({each.text: each.write(right) for each in questions_of(prompts, context, taken_for)})
        stand_in = Image.new("RGB", STAND_IN, "teal")
        result = await tagger.tag(list(pictures) or stand_in, context)
    if result.errors:
        error = result.errors[-1]
        raise SettingsError(error.message, hint=error.hint)
    return SentPrompts(context, taken_for, named, tuple(server.sent), server.unreachable)


def _alone(settings: Settings) -> Settings:
    """One engine, whose answers are all believed: nothing that was learnt, kept or set for others has a part in it."""
    return settings.model_copy(
        update={
            "specialist": None,
            "residency": "both",
            "calibration": None,
            "cache": "off",
            "router": settings.router.model_copy(update={"threshold": 0.5}),
        }
    )


def _category(taxonomy: Taxonomy, language: Language, wanted: str | None) -> str:
    """The id of the category `wanted`; else of the first that has details, so that there is something to ask."""
    if wanted is None:
        categories = taxonomy.categories
        return next((id_ for id_ in categories if categories[id_].details), next(iter(categories)))
    id_ = taxonomy.ids(language).get(wanted, wanted)
    if id_ not in taxonomy.categories:
        raise SettingsError(
            f"taxonomy {taxonomy.name} has no category {wanted}",
            hint=f"--category takes one of {', '.join(taxonomy.categories)}",
        )
    return id_


def _any_answer(taxonomy: Taxonomy, category: str) -> Answer:
    """A valid one: the first option of each attribute that has exactly one, and none of the others'."""
    details = taxonomy.categories[category].details.items()
    return Answer(
        category=category,
        details={id_: tuple(each.options)[:1] if each.choose == "one" else () for id_, each in details},
    )
