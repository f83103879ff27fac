"""From the pictures as the caller gave them to the pictures that the engine sees."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from langgraph.runtime import Runtime

from onelook.answering.sizes import all_bounds, full_bounds, sized_by_category
from onelook.engines.base import MAX_IMAGES
from onelook.errors import ImageError, ImageRefused
from onelook.graph.arms import ARMS, way_to
from onelook.graph.state import State
from onelook.images.decode_limit import Takes, decode_in_thread
from onelook.images.decode_memory import check_decode_bytes
from onelook.images.original import Original
from onelook.images.picture import Picture
from onelook.images.source import Loaded, describe, read
from onelook.ledger.stamps import span
from onelook.services import Services
from onelook.settings.resolution import at_most
from onelook.types import Context


async def prepare(services: Services, state: State, runtime: Runtime[Context]) -> State:
    """Read, decode and size the pictures.

    Raises:
        ImageError: a picture cannot be used, or there are none or too many; no engine is asked then.
    """
    context = runtime.context
    image = state.get("image", [])
    # Pixels and open files are pictures, whatever their truth value is: that of an array is an error.
    empty = image is None or (isinstance(image, str | bytes | list | tuple) and not image)
    if empty and services.sample is not None:
        image = services.sample
    references = list(image) if isinstance(image, list | tuple) else [image]
    if not 1 <= len(references) <= MAX_IMAGES:
        raise ImageRefused(
            f"{len(references)} pictures in one request, expected 1 to {MAX_IMAGES}",
            hint="only pictures of one subject go into one request; send the others in requests of their own",
        )
    grid = (await services.engine.look_up()).size_grid
    originals, pictures = [], []
    # One after another: they share the processor, and each has spans of its own.
    for index, reference in enumerate(references):
        with _numbered(index):
            data = await read(reference, services.limits)
            with span("transform"):
                name = describe(reference)
                original, picture = await _decoded(services, context, data, name, grid)
        originals.append(original)
        pictures.append(picture)
    sized_again = context.adaptive or sized_by_category(context) or services.specialist is not None
    return {
        "originals": tuple(originals) if sized_again else (),
        "pictures": tuple(pictures),
        "way": way_to(ARMS[context.arm].entry),
        "why": f"the run has the arm {context.arm}",
    }


@contextmanager
def _numbered(index: int) -> Iterator[None]:
    """Notes in an error which picture it is about: several may have the same name, or none."""
    try:
        yield
    except ImageError as error:
        error.picture = index
        raise


async def _decoded(
    services: Services, context: Context, data: Loaded, name: str, grid: int
) -> tuple[Original, Picture]:
    """The picture with its header read, and as the engine sees it first."""
    opened: list[Original] = []

    def takes() -> Takes:
        up_to = all_bounds(services, context)
        original = Original(
            data, name=name, max_pixels=services.limits.max_pixels, up_to=up_to, grid=grid, trim=context.trim == "auto"
        )
        opened.append(original)
        size = original.decode_bytes
        check_decode_bytes(size, name, services.limits.max_decode_bytes)
        return Takes(size, original.scan_pixels)

    def work() -> Picture:
        return _first_picture(services, context, opened[0])

    picture = await decode_in_thread(work, name=name, limits=services.limits, takes=takes)
    return opened[0], picture


def _first_picture(services: Services, context: Context, original: Original) -> Picture:
    small = at_most(services.settings.resolution.first_look)
    if sized_by_category(context):
        return original.picture(small)
    bounds, content = full_bounds(services, context, original, None)
    if context.adaptive:
        bounds = min(small, bounds, key=original.pixels)
    return replace(original.picture(bounds), content=content)
