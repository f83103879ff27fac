"""Replies as a model would write them, for the bundled taxonomy in Chinese."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from onelook.engines.answer_cache import CachedEngine
from onelook.engines.base import AskRequest
from onelook.engines.scripted import ScriptedEngine, ScriptedReply, ScriptedRouter
from onelook.errors import EngineFailed, EngineIncapable, EngineRefused, EngineTimeout, EngineUnavailable
from onelook.prompts.taxonomy.document import load_taxonomy
from onelook.settings.process import PHOTOS
from onelook.tagger import Tagger

MakeTagger = Callable[..., Tagger]

CATEGORY = '{"primary_category":"人像"}'
DETAILS = '{"gender":"男性","composition":["自拍","半身"],"mood":"开心","scene":"室内"}'
PORTRAIT = f'{{"primary_category":"人像","details":{DETAILS}}}'
COMPACT = "人像男性自拍,半身开心室内"
BUILDING = '{"primary_category":"建筑","details":{}}'

ATTEMPTS = [
    (EngineUnavailable("nothing answers", hint="start it"), 3),
    (EngineTimeout("no answer in 60 s"), 3),
    (EngineFailed("HTTP 500"), 3),
    (EngineRefused("HTTP 400"), 1),
    (EngineIncapable("no such model"), 1),
]
"""Every kind of fault of an engine, and how often it is asked before the fault is the result."""

IDS = {"gender": ["male"], "composition": ["selfie", "half_body"], "mood": ["happy"], "scene": ["indoor"]}


def scripted(tagger: Tagger) -> ScriptedEngine:
    """The scripted engine of `tagger`, also behind an answer cache."""
    engine = tagger.services.engine
    engine = engine.engine if isinstance(engine, CachedEngine) else engine
    assert isinstance(engine, ScriptedEngine)
    return engine


def sure(text: str, unsure: Mapping[str, float] | None = None) -> ScriptedReply:
    """`text` one token a character, each certain but for the characters named in `unsure` with their probability."""
    odds = unsure or {}
    return ScriptedReply(tokens=[(letter, math.log(odds.get(letter, 1.0))) for letter in text])


def routed(category: str, probability: float = 1.0) -> ScriptedRouter:
    """A router that takes every picture for `category`, and leaves the rest of the probability to the others."""
    categories = load_taxonomy(PHOTOS).categories
    rest = (1 - probability) / (len(categories) - 1)
    return ScriptedRouter([[probability if id_ == category else rest for id_ in categories]])


def question(request: AskRequest) -> str:
    """The words of a request, without its pictures."""
    words = []
    for message in request.messages:
        for part in [message.content] if isinstance(message.content, str) else message.content:
            if isinstance(part, str):
                words.append(part)
            elif part["type"] == "text":
                words.append(part["text"])
    return "\n".join(words)


def pictures_first(request: AskRequest) -> bool:
    """Whether the user's turn shows the picture before its words."""
    content = request.messages[-1].content
    first = content[0]
    return isinstance(first, dict) and first["type"] == "image_url"
