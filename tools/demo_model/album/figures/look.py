"""Who a drawn person is: the choices that face and body share, with cues that show the gender at any size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tools.demo_model.album.palette import HAIRS, SKINS, Colour, apart, distance, hsv, muted, vivid
from tools.demo_model.album.rng import Rng

Gender = Literal["male", "female", "unclear"]
Mood = Literal["happy", "calm", "sad"]

GENDERS: tuple[Gender, ...] = ("male", "female", "unclear")
MOODS: tuple[Mood, ...] = ("happy", "calm", "sad")

HAIR_STYLES = {
    "male": ("short", "spiky", "parted", "bald"),
    "female": ("long", "wavy", "bob", "braids"),
    "unclear": ("hood", "knit cap", "helmet"),
}
CLOTHES = {
    "male": ("suit", "shirt", "jumper"),
    "female": ("dress", "blouse", "dress"),
    "unclear": ("coat",),
}
BEARDS = ("full", "moustache", "goatee")


@dataclass(frozen=True, slots=True)
class Look:
    gender: Gender
    mood: Mood
    skin: Colour
    hair: Colour
    hair_style: str
    beard: str | None
    clothes: str
    top: Colour
    bottom: Colour
    accent: Colour
    glasses: bool
    tears: bool


def some_look(rng: Rng, gender: Gender, mood: Mood, backdrop: Colour) -> Look:
    """A person of this gender and mood, whose clothes stand out from the backdrop.

    Always visible: a man has a beard, or a suit with a tie; a woman has long hair, lips and ear-rings; of a person
    whose gender is unclear, a hood, cap or helmet and a bulky coat show only the face.
    """
    skin = rng.pick(SKINS)
    hair = max(rng.several(HAIRS, 3), key=lambda colour: distance(colour, skin))
    top = apart(rng, backdrop, skin)
    clothes = rng.pick(CLOTHES[gender])
    bearded = gender == "male" and (clothes != "suit" or rng.whether(0.5))
    return Look(
        gender,
        mood,
        skin,
        hair,
        rng.pick(HAIR_STYLES[gender]),
        rng.pick(BEARDS) if bearded else None,
        clothes,
        top,
        muted(rng) if rng.whether(0.6) else hsv(rng.between(200, 250), 0.5, 0.4),
        apart(rng, top, skin) if rng.whether(0.7) else vivid(rng),
        rng.whether(0.2),
        mood == "sad" and rng.whether(0.6),
    )
