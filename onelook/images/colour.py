"""From the pixels of a file to opaque 8-bit grey or sRGB."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from itertools import product
from math import isfinite

from PIL import Image, ImageChops, ImageCms, ImageStat

from onelook.images.unsupported import NotSupported

SIXTEEN_BIT = {"I;16", "I;16L", "I;16B", "I;16N"}
SAMPLES = tuple(product((0, 85, 170, 255), repeat=4))
HALF, NEARLY_WHITE, DARK = 128, 225, "#404040"
BARELY_VISIBLE = 2  # of 255: sRGB profiles of different makers differ by rounding only

KEPT_PROFILES, LARGEST_KEPT = 16, 65536
"""Transforms that are kept, and the most bytes of their profiles: a camera's has 0.5 to 4 kB. Making one takes a tenth
of the time in which a photograph is decoded. Threads share them: lcms2 changes nothing in a transform that it applies
(`CachedXFORM` in its cmsxform.c)."""


def opaque(image: Image.Image) -> Image.Image:
    """`image` without transparency, palette or more than 8 bits: mode L, RGB or CMYK.

    What is transparent becomes white, or dark grey where what is visible is nearly white itself.

    16-bit grey is scaled from its full range. 32-bit integers and floats have no fixed range: the darkest pixel
    becomes black and the brightest white.

    Raises:
        NotSupported: a float picture holds NaN or infinity.
        ValueError: the mode cannot be converted.
    """
    if image.mode in SIXTEEN_BIT:
        return _stretched(image.convert("I"), 0, 65535)
    if image.mode in ("I", "F"):
        return _stretched(image, *image.getextrema())
    if image.has_transparency_data:
        opaque_mode, alpha_mode = ("L", "LA") if image.mode in ("LA", "La") else ("RGB", "RGBA")
        layered = image.convert(alpha_mode)
        visible, alpha = layered.convert(opaque_mode), layered.getchannel("A")
        canvas = Image.new(opaque_mode, image.size, _background(visible, alpha))
        canvas.paste(visible, mask=alpha)
        return canvas
    if image.mode == "1":
        return image.convert("L")
    return image if image.mode in ("L", "RGB", "CMYK") else image.convert("RGB")


def _background(visible: Image.Image, alpha: Image.Image) -> str:
    """White, as most pages are; dark grey for what is nearly white itself, and would vanish."""
    seen = alpha.point(lambda level: 255 * (level >= HALF))
    if seen.getbbox() is None:
        return "white"
    return DARK if ImageStat.Stat(visible.convert("L"), seen).mean[0] >= NEARLY_WHITE else "white"


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """`image` (L, RGB or CMYK) as L or RGB in sRGB. A broken profile, or one for other channels, is ignored."""
    transform = srgb_transform(image.mode, profile)
    if transform is not None:
        converted = ImageCms.applyTransform(image, transform)
        if converted is not None:
            return converted
    return image.convert("RGB") if image.mode == "CMYK" else image


def srgb_transform(mode: str, profile: bytes | None) -> ImageCms.ImageCmsTransform | None:
    """The transform to sRGB that pixels of `mode` need; None if they are right without one.

    Whether a profile *is* sRGB is tested on a few colours, because its name is not reliable: dozens of profiles are
    named sRGB, including linear ones.
    """
    if not profile:
        return None
    return _kept_transform(mode, profile) if len(profile) <= LARGEST_KEPT else _transform(mode, profile)


def _transform(mode: str, profile: bytes) -> ImageCms.ImageCmsTransform | None:
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
        return None if mode != "CMYK" and _changes_nothing(transform, mode) else transform
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - a foreign file's profile: without it the picture is sRGB
        return None


_kept_transform = lru_cache(KEPT_PROFILES)(_transform)


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    bands = len(mode)
    samples = Image.frombytes(mode, (len(SAMPLES), 1), b"".join(bytes(colour[:bands]) for colour in SAMPLES))
    converted = ImageCms.applyTransform(samples, transform)
    if converted is None:
        return True
    return max(ImageChops.difference(samples.convert("RGB"), converted).tobytes()) <= BARELY_VISIBLE


def _stretched(image: Image.Image, black: float, white: float) -> Image.Image:
    if not (isfinite(black) and isfinite(white)):
        raise NotSupported("pixels that are not finite numbers")
    scale = 255 / (white - black) if white > black else 0.0
    return image.point(lambda value: value * scale - black * scale).convert("L")
