"""Portraits: one to four people who fill the picture as their composition requires.

All members of a group have the same gender and mood. "unclear" hides hair and figure under a hood, cap or helmet and a
coat; the face stays in sight, for the mood must be visible in every portrait.
"""

from __future__ import annotations

from typing import cast

from tools.demo_model.album.canvas import Canvas
from tools.demo_model.album.figures.look import Gender, Look, Mood, some_look
from tools.demo_model.album.figures.person import POSES, person
from tools.demo_model.album.figures.pets import cat, dog
from tools.demo_model.album.figures.plants import POTTED
from tools.demo_model.album.open_air import outdoor
from tools.demo_model.album.palette import darker
from tools.demo_model.album.rng import Rng
from tools.demo_model.album.room import indoor
from tools.demo_model.album.truth import Brief

# Where a picture cuts the body, in the person's own frame; for a whole body a strip of ground stays below the feet.
CUT = {"close": -0.5, "half_body": -0.3, "full_body": 0.06}
CROWN = -1.06
# Where to look in the person's own frame.
FACE = (-0.1, -0.95, 0.1, -0.72)
UPPER_BODY = (-0.17, -1.05, 0.17, -0.5)
BODY = (-0.2, -1.05, 0.2, 0.0)
ARM = (0.08, -0.7, 0.6, -0.4)

SPREAD = 0.42
REACH = 0.5


def paint(canvas: Canvas, rng: Rng, brief: Brief) -> str:
    gender, mood = cast("Gender", brief.details["gender"][0]), cast("Mood", brief.details["mood"][0])
    composition = brief.details["composition"]
    framing = "full_body" if "full_body" in composition else "half_body" if "half_body" in composition else "close"
    people = rng.count(2, _most(canvas, framing)) if "group" in composition else 1
    selfie = "selfie" in composition
    if rng.whether(0.5):
        canvas = canvas.at(canvas.width, 0, flip=True)

    floor = canvas.height * (rng.between(0.68, 0.8) if framing == "full_body" else rng.between(0.72, 0.86))
    backdrop = (indoor if brief.details["scene"] == ("indoor",) else outdoor)(canvas, rng, floor)

    scale = _scale(canvas, rng, framing, people, selfie)
    room = SPREAD * scale
    free = canvas.width - room * people
    first = room / 2 + free * (0.5 + rng.between(-0.25, 0.25))
    if selfie:  # the arm must reach the edge of the picture
        first = max(room / 2, canvas.width - REACH * scale - room * (people - 1))
    if framing == "full_body" and rng.whether(0.4):
        side = 0.13 if first > canvas.width / 2 else canvas.width - 0.13
        rng.pick((cat, dog, *POTTED))(canvas.at(side, canvas.height * 0.95, 0.2), rng)

    tilt = rng.between(-6, 6) if selfie else rng.between(-2, 2)
    for number in range(people):
        look = some_look(rng, gender, mood, backdrop)
        own = scale * rng.between(0.94, 1.0)
        figure = canvas.at(first + room * number, canvas.height - CUT[framing] * own, own, angle=tilt)
        holds = selfie and number == people - 1
        figure.shows("mood", FACE)
        figure.shows("gender", UPPER_BODY)
        for option in composition:
            figure.shows("composition", ARM if option == "selfie" else BODY, option)
        person(figure, look, rng.pick(POSES) if people == 1 else "down", free_arm=not holds)
        if holds:
            _arm_to_camera(figure, look)
    return f"{framing}, {people}"


def _most(canvas: Canvas, framing: str) -> int:
    """How many people find room side by side without becoming small."""
    if framing == "full_body":
        return 3 if canvas.width < 1.3 else 4
    return 2 if canvas.width < 1.3 else 3


def _scale(canvas: Canvas, rng: Rng, framing: str, people: int, selfie: bool) -> float:
    """How large a person is: as large as height and width of the picture let them be."""
    by_height = canvas.height * rng.between(0.86, 0.98) / (CUT[framing] - CROWN)
    by_width = canvas.width / (SPREAD * (people - 0.5) + (REACH if selfie else SPREAD / 2))
    return min(by_height, by_width)


def _arm_to_camera(figure: Canvas, look: Look) -> None:
    """The arm that holds the camera: it becomes wider towards the viewer and leaves the picture at its edge."""
    glove = look.accent if look.clothes == "coat" else look.skin
    figure.limb((0.3, -0.57), (0.56, -0.53), 0.11, 0.2, darker(glove, 0.08))
    figure.limb((0.11, -0.62), (0.3, -0.57), 0.085, 0.135, darker(look.top, 0.22))
