"""A person from the front: feet on y = 0, crown at y = -1. Big-headed, so that the mood is visible at a distance."""

from __future__ import annotations

from typing import Literal

from tools.demo_model.album.canvas import Canvas
from tools.demo_model.album.figures.face import face, hair_behind
from tools.demo_model.album.figures.look import GENDERS, MOODS, Look, some_look
from tools.demo_model.album.palette import BLACK, WHITE, Colour, darker, lighter
from tools.demo_model.album.rng import Rng

Pose = Literal["down", "wave", "hips", "phone"]
POSES: tuple[Pose, ...] = ("down", "wave", "hips")

HEAD_Y, HEAD = -0.845, 0.14
SHOULDER_Y, WAIST_Y, HIP_Y = -0.68, -0.40, -0.34
SHOULDER_X = {"male": 0.155, "female": 0.12, "unclear": 0.165}
ARM = 0.075


def person(canvas: Canvas, look: Look, pose: Pose = "down", *, free_arm: bool = True) -> None:
    """`free_arm=False` leaves the right-hand arm out: the selfie's composition draws it."""
    head = canvas.at(0, HEAD_Y, HEAD)
    hair_behind(head, look)
    _legs(canvas, look)
    _torso(canvas, look)
    wide = SHOULDER_X[look.gender]
    elbow, hand = {
        "down": ((wide + 0.05, -0.5), (wide + 0.055, -0.34)),
        "wave": ((wide + 0.15, -0.66), (wide + 0.2, -0.9)),
        "hips": ((wide + 0.14, -0.5), (wide - 0.01, -0.4)),
        "phone": ((wide + 0.06, -0.5), (0.07, -0.57)),
    }[pose]
    _arm(canvas, look, ((-wide - 0.05, -0.5), (-wide - 0.045, -0.34)), -1)
    if free_arm:
        _arm(canvas, look, (elbow, hand), 1)
    if pose == "phone":
        canvas.rectangle(0.015, -0.68, 0.115, -0.52, BLACK)
        canvas.ellipse(0.04, -0.655, 0.014, fill=lighter(BLACK, 0.6))
        canvas.ellipse(0.1, -0.55, 0.028, 0.022, fill=look.skin)
    face(head, look)


def passer_by(canvas: Canvas, rng: Rng, backdrop: Colour) -> None:
    """Someone far away: a distractor."""
    look = some_look(rng, rng.pick(GENDERS), rng.pick(MOODS), backdrop)
    person(canvas, look, rng.pick(POSES))


def _arm(canvas: Canvas, look: Look, joints: tuple[tuple[float, float], tuple[float, float]], side: int) -> None:
    elbow, hand = joints
    shoulder = (side * (SHOULDER_X[look.gender] - 0.02), SHOULDER_Y + 0.05)
    sleeve = darker(look.top, 0.13)
    bare = look.clothes == "dress"
    canvas.limb(shoulder, elbow, ARM * (1.3 if look.clothes == "coat" else 1), ARM, sleeve)
    canvas.limb(elbow, hand, ARM * 0.9, ARM * 0.7, look.skin if bare else sleeve)
    canvas.ellipse(*hand, 0.036, fill=look.accent if look.clothes == "coat" else look.skin)


def _legs(canvas: Canvas, look: Look) -> None:
    wear = look.skin if look.clothes in ("dress", "blouse") else look.bottom
    shoe = darker(look.accent if look.gender == "female" else look.bottom, 0.5)
    for side in (-1, 1):
        canvas.limb((side * 0.065, HIP_Y), (side * 0.075, -0.03), 0.105, 0.08, wear)
        canvas.ellipse(side * 0.09, -0.02, 0.065, 0.03, fill=shoe)


def _torso(canvas: Canvas, look: Look) -> None:
    wide, top = SHOULDER_X[look.gender], look.top
    canvas.rectangle(-0.045, -0.75, 0.045, -0.64, darker(look.skin, 0.18))
    match look.clothes:
        case "dress" | "blouse":
            skirt = top if look.clothes == "dress" else look.bottom
            canvas.polygon([(-0.085, WAIST_Y - 0.02), (0.085, WAIST_Y - 0.02), (0.21, -0.17), (-0.21, -0.17)], skirt)
            canvas.blob(
                [
                    (-wide, SHOULDER_Y + 0.02), (-0.05, -0.71), (0.05, -0.71), (wide, SHOULDER_Y + 0.02),
                    (0.09, -0.5), (0.095, WAIST_Y), (-0.095, WAIST_Y), (-0.09, -0.5),
                ],
                top,
            )  # fmt: skip
            canvas.polygon([(-0.055, -0.715), (0.055, -0.715), (0, -0.63)], look.skin)
            canvas.rectangle(-0.1, WAIST_Y - 0.02, 0.1, WAIST_Y + 0.015, look.accent)
            canvas.curve([(-0.055, -0.7), (0, -0.61), (0.055, -0.7)], 0.012, look.accent)
        case "coat":
            canvas.blob(
                [
                    (-wide, SHOULDER_Y), (-0.08, -0.73), (0.08, -0.73), (wide, SHOULDER_Y), (0.2, -0.26),
                    (0.18, -0.2), (-0.18, -0.2), (-0.2, -0.26),
                ],
                top,
            )  # fmt: skip
            canvas.line([(0, -0.7), (0, -0.2)], 0.018, darker(top, 0.45))
            for y in (-0.56, -0.46, -0.36):
                canvas.line([(-0.17, y), (0.17, y)], 0.01, darker(top, 0.25))
            canvas.rectangle(-0.185, WAIST_Y - 0.02, 0.185, WAIST_Y + 0.01, darker(top, 0.4))
            if look.hair_style == "knit cap":
                canvas.ellipse(0, -0.7, 0.13, 0.045, fill=look.accent)
        case _:
            canvas.blob(
                [
                    (-wide, SHOULDER_Y), (-0.06, -0.725), (0.06, -0.725), (wide, SHOULDER_Y), (0.13, -0.5),
                    (0.125, HIP_Y), (-0.125, HIP_Y), (-0.13, -0.5),
                ],
                top,
            )  # fmt: skip
            _man_details(canvas, look)


def _man_details(canvas: Canvas, look: Look) -> None:
    if look.clothes == "suit":
        canvas.polygon([(-0.07, -0.725), (0.07, -0.725), (0, -0.46)], WHITE)
        canvas.polygon([(-0.022, -0.7), (0.022, -0.7), (0.03, -0.52), (0, -0.48), (-0.03, -0.52)], look.accent)
        for side in (-1, 1):
            canvas.polygon([(side * 0.06, -0.735), (side * 0.105, -0.68), (side * 0.004, -0.46)], darker(look.top, 0.3))
    elif look.clothes == "shirt":
        canvas.polygon([(-0.08, -0.73), (0.08, -0.73), (0, -0.64)], lighter(look.top, 0.5))
        for y in (-0.6, -0.53, -0.46):
            canvas.ellipse(0, y, 0.01, fill=WHITE)
    else:
        for y in (-0.58, -0.5):
            canvas.rectangle(-0.13, y, 0.13, y + 0.035, look.accent)
    canvas.rectangle(-0.128, WAIST_Y, 0.128, WAIST_Y + 0.03, BLACK)
    canvas.rectangle(-0.02, WAIST_Y - 0.003, 0.02, WAIST_Y + 0.033, (206, 178, 90))
