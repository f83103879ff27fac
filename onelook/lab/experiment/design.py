"""The design of an experiment: all that decides its questions and verdicts, fixed before the first question."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, ValidationError

from onelook.errors import ExperimentError
from onelook.types import Answer, Frozen

FILE: Final = "design.json"
AGAIN: Final = " (again)"
"""How the name of the second copy of the first arm ends: the A/A pair."""

Caches = Literal["apart", "shared"]
CacheChoice = Literal["apart", "shared", "both"]
Stop = Literal["fixed", "anytime"]
Share = Annotated[float, Field(gt=0, lt=1)]


class ArmDesign(Frozen):
    """An arm: its choices, the settings that it changes, and what it asks."""

    name: str
    context: dict[str, Any]
    settings: dict[str, str] = Field({})
    engine: str
    model: str | None = Field(None, description="None: the server's only model; the run records its name.")
    taxonomy: str


class DesignPicture(Frozen):
    """A picture by its name in the album, its bytes, its true labels (None: not labelled), and its cluster."""

    name: str
    sha256: str
    truth: Answer | None = None
    cluster: str | None = None


class Load(Frozen):
    """Questions at the same time, after those one at a time.

    `closed`: so many pictures in flight. `open`: so many pictures a second, which arrive at random (Poisson) whether or
    not earlier ones are answered. `pictures`: so many a level and an arm. `fixed_p95_ms`: the throughput is wanted at
    this 95th percentile.
    """

    closed: tuple[Annotated[int, Field(ge=1)], ...] = ()
    open: tuple[Annotated[float, Field(gt=0)], ...] = ()
    pictures: Annotated[int, Field(ge=1)] = 60
    fixed_p95_ms: Annotated[float, Field(gt=0)] | None = None


class Design(Frozen):
    """`arms`: the first is the baseline, with which each other one is compared."""

    arms: tuple[ArmDesign, ...]
    primary: str = Field("record", description="record, category, latency, or attribute:NAME.")
    margin: Share = Field(0.02, description="An arm is not worse while it loses less than this share of pictures.")
    latency_margin: Share = Field(0.05, description="The same of the latency: 0.05 is 5 %.")
    alpha: Share = 0.05
    power: Share = 0.8
    stop: Stop = "fixed"
    cluster: str = Field("none", description="none, album, folder, day, or column:NAME.")
    order: Literal["random blocks", "ABBA"] = "random blocks"
    seed: int = 0
    caches: CacheChoice = "apart"
    aa: bool = True
    warm_up: Annotated[int, Field(ge=0)] = 2
    load: Load = Load()
    labels: str | None = Field(None, description="SHA-256 of the true labels; None without any.")
    pictures: tuple[DesignPicture, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of the design as JSON with sorted keys."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return sha256(text.encode()).hexdigest()

    @property
    def baseline(self) -> str:
        return self.arms[0].name

    @property
    def names(self) -> tuple[str, ...]:
        """The arms that are asked about each picture: with the A/A pair, the baseline a second time."""
        own = tuple(arm.name for arm in self.arms)
        return (*own, self.baseline + AGAIN) if self.aa else own

    @property
    def passes(self) -> tuple[Caches, ...]:
        return ("apart", "shared") if self.caches == "both" else (self.caches,)

    @property
    def clusters(self) -> list[str] | None:
        """The cluster of each picture; None if pictures are taken to be independent."""
        if self.cluster == "none":
            return None
        return [each.cluster or each.name for each in self.pictures]

    def write(self, folder: Path) -> None:
        """Write `design.json`, with its hash, into `folder`."""
        document = {"sha256": self.digest, "design": self.model_dump(mode="json")}
        text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
        part = folder / f"{FILE}.part"
        part.write_text(text, encoding="utf-8")
        part.replace(folder / FILE)

    @classmethod
    def read(cls, folder: Path) -> tuple[Self, str]:
        """The design of the experiment in `folder`, and the hash that was written with it.

        Raises:
            ExperimentError: there is none, or it cannot be read.
        """
        file = folder / FILE
        try:
            document = json.loads(file.read_text(encoding="utf-8"))
            return cls.model_validate(document["design"]), str(document["sha256"])
        except FileNotFoundError:
            raise ExperimentError(
                f"{folder} holds no experiment: it has no {FILE}", hint="name the folder of --out FOLDER"
            ) from None
        except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
            reason = error.errors(include_url=False)[0]["msg"] if isinstance(error, ValidationError) else error
            raise ExperimentError(
                f"{file} is no design: {reason}", hint="restore it, or begin again with another --out FOLDER"
            ) from None


def labels_digest(truths: Sequence[Answer | None]) -> str | None:
    """SHA-256 of the labels in the order of the pictures; None without any."""
    if not any(truths):
        return None
    text = json.dumps([each and each.model_dump(mode="json") for each in truths], sort_keys=True, ensure_ascii=False)
    return sha256(text.encode()).hexdigest()
