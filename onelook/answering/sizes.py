"""The size at which a run sends its pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from onelook.engines.base import Engine
from onelook.graph.arms import ARMS
from onelook.graph.state import State
from onelook.images.decode_limit import decode_in_thread
from onelook.images.original import Original
from onelook.images.picture import Picture
from onelook.result import Shown
from onelook.services import Services
from onelook.settings.resolution import Bounds, at_most
from onelook.types import Content, Context, Tag


def sized_by_category(context: Context) -> bool:
    """Whether the router's category decides the size: it is surer of the content than a thumbnail's statistics."""
    return ARMS[context.arm].routed and context.resolution == "auto"


def all_bounds(services: Services, context: Context) -> tuple[Bounds, ...]:
    """Every size that this run may ask for."""
    if context.resolution == "fixed":
        return (at_most(context.long_edge),)
    return (at_most(services.settings.resolution.first_look), *services.settings.resolution.all())


def full_bounds(
    services: Services, context: Context, original: Original, category: Tag | None
) -> tuple[Bounds, Content | None]:
    """The size for a pass at full resolution, and the content that decided it, if content did.

    Raises:
        ImageUnreadable: truncated or broken.
    """
    if context.resolution == "fixed":
        return at_most(context.long_edge), None
    named = None
    if category is not None and sized_by_category(context):
        named = services.taxonomy.categories[category.id].content
    content = named or original.content
    return services.settings.resolution.of(content), content


async def full_pictures(services: Services, state: State, context: Context, engine: Engine) -> tuple[Picture, ...]:
    """The pictures at full size on the size grid of `engine`, made from what is decoded already.

    Raises:
        ImageUnreadable: a picture is truncated or broken.
        ImageTooLarge: it takes too long.
    """
    grid = (await engine.look_up()).size_grid

    def resized(original: Original, picture: Picture) -> Picture:
        bounds, content = full_bounds(services, context, original, state["category"])
        original = original.on_grid(grid)
        if original.size(bounds) != (picture.width, picture.height):
            picture = original.picture(bounds)
        return replace(picture, content=content)

    return tuple(
        [
            await decode_in_thread(partial(resized, *each), name=each[1].name, limits=services.limits)
            for each in zip(state["originals"], state["pictures"], strict=True)
        ]
    )


def more_to_see(services: Services, state: State, context: Context) -> bool:
    """Whether full resolution has more pixels of any picture than the model has seen."""

    def larger(original: Original, picture: Picture) -> bool:
        bounds, _ = full_bounds(services, context, original, state["category"])
        return original.pixels(bounds) > picture.width * picture.height

    return any(larger(*each) for each in zip(state["originals"], state["pictures"], strict=True))


def shown(pictures: Sequence[Picture]) -> tuple[Shown, ...]:
    return tuple(
        Shown(width=each.width, height=each.height, content=each.content, trimmed=each.trimmed or None)
        for each in pictures
    )
