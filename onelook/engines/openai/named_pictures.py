"""Pictures by name: vLLM's `uuid` of a picture, under which its media, encoder and prefix caches keep it.

The name is a digest of the picture, keyed with the API key: nobody who lacks the key can name a picture that was sent
with it, neither to be answered about it nor to put another one in its place. Without a key, whoever has the bytes can.

A server that has the picture in its media cache needs only the name (vLLM 0.32, `_get_cache_missing_items` in
multimodal/processing/processor.py); one that no longer has it refuses the request, and gets it again with the bytes.
"""

from __future__ import annotations

import hmac
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, TypeVar

from onelook.engines.cache_scope import cache_scope, picture_scope
from onelook.errors import EngineError, EngineRefused

Json = dict[str, Any]
T = TypeVar("T")

MOST_KNOWN = 256
"""Names that are taken for known to a server: its cache (4 GiB by default) has room for as many pictures of 1024
pixels. After it has dropped one or was restarted, all are sent again: one refused request."""

MOST_LOST = 3
"""After so many in a row the server has no media cache (`--mm-processor-cache-gb 0`), and always gets the bytes."""


class NamedPictures:
    """Which pictures one server has, as far as its answers tell."""

    def __init__(self, secret: str) -> None:
        """`secret`: what this caller has and others have not (`OpenAIServer.secret`)."""
        self._key = secret.encode()
        self._known: OrderedDict[str, None] = OrderedDict()
        self._lost = 0
        """How often in a row it had lost a picture that it had just been sent."""

    def named(self, messages: Sequence[Json]) -> list[Json]:
        """The messages of one conversation, with the name of each picture."""
        return _map_pictures(messages, lambda part: {**part, "uuid": self._name(part["image_url"]["url"])})

    async def send(
        self, conversations: Sequence[Sequence[Json]], post: Callable[[list[list[Json]]], Awaitable[T]]
    ) -> T:
        """What `post` returns for the conversations, in which each picture that the server has is its name alone.

        Within one request, the bytes of a picture are sent once.

        Raises:
            EngineError: as `post`. The pictures are sent in full the next time, unless it refused the request itself.
        """
        names = _names(conversations)
        known = self._known.keys() & names if self._lost < MOST_LOST else set()
        if known:
            try:
                answer = await post(_once(conversations, known))
            except EngineRefused:  # it lost them, or it refuses the request for another reason: the bytes tell
                answer = await post(_once(conversations, set()))
                if known <= self._known.keys():  # else a request beside this one has found it out
                    self._lost += 1
                    self._known.clear()
            except EngineError:
                self._forget(names)
                raise
            else:
                self._lost = 0
        else:
            answer = await post(_once(conversations, set()))
        self._remember(names)
        return answer

    def _remember(self, names: Iterable[str]) -> None:
        for name in names:
            self._known[name] = None
            self._known.move_to_end(name)
        while len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)

    def _forget(self, names: Iterable[str]) -> None:
        for name in names:
            self._known.pop(name, None)

    def _name(self, url: str) -> str:
        scope = f"{cache_scope.get() or ''}{picture_scope.get()}"
        return hmac.digest(self._key, f"{scope}{url}".encode(), "sha256").hex()


def _map_pictures(messages: Sequence[Json], change: Callable[[Json], Json]) -> list[Json]:
    return [
        message
        if isinstance(message["content"], str)
        else {
            **message,
            "content": [change(part) if part["type"] == "image_url" else part for part in message["content"]],
        }
        for message in messages
    ]


def _names(conversations: Sequence[Sequence[Json]]) -> dict[str, None]:
    return {
        part["uuid"]: None
        for messages in conversations
        for message in messages
        if not isinstance(message["content"], str)
        for part in message["content"]
        if "uuid" in part
    }


def _once(conversations: Sequence[Sequence[Json]], known: set[str]) -> list[list[Json]]:
    """`conversations` without the bytes of pictures that are known, or whose bytes an earlier one has."""
    sent = set(known)

    def once(part: Json) -> Json:
        name = part.get("uuid")
        if name in sent:
            return {"type": "image_url", "image_url": None, "uuid": name}
        if name is not None:
            sent.add(name)
        return part

    return [_map_pictures(messages, once) for messages in conversations]
