"""A picture in the middle of a larger one."""

from __future__ import annotations

from PIL import Image

Box = tuple[int, int, int, int]
"""Left, upper, right and lower, in pixels."""


def padded(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """`image` in the middle of a picture of `size` (width, height); on each side, the mean colour of that edge.

    A bar of another colour would be a shape that the picture does not have; repeated edge pixels would be stripes.
    """
    width, height = size
    left, top = (width - image.width) // 2, (height - image.height) // 2
    right, bottom = left + image.width, top + image.height
    canvas = Image.new(image.mode, size)
    bars: tuple[tuple[Box, Box], ...] = (  # where, and the edge that it continues
        ((0, 0, width, top), (0, 0, image.width, 1)),
        ((0, bottom, width, height), (0, image.height - 1, image.width, image.height)),
        ((0, 0, left, height), (0, 0, 1, image.height)),
        ((right, 0, width, height), (image.width - 1, 0, image.width, image.height)),
    )
    for bar, edge in bars:
        if bar[0] < bar[2] and bar[1] < bar[3]:
            mean = image.resize((1, 1), Image.Resampling.BOX, box=edge)
            canvas.paste(mean.resize((bar[2] - bar[0], bar[3] - bar[1])), bar)
    canvas.paste(image, (left, top))
    return canvas
