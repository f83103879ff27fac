"""`Experiment`: arms compared on an album, from the design to the report."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from onelook.errors import ExperimentError
from onelook.images.limits import Limits
from onelook.lab.experiment.anytime import why_enough
from onelook.lab.experiment.arms import ExperimentArm, PreparedArm, prepare
from onelook.lab.experiment.design import (
    AGAIN,
    FILE,
    ArmDesign,
    CacheChoice,
    Design,
    Load,
    Stop,
    labels_digest,
)
from onelook.lab.experiment.load import run_load
from onelook.lab.experiment.metrics import check_metric
from onelook.lab.experiment.outcomes import FailedStart, Runs, RunsFile, read_runs
from onelook.lab.experiment.pictures import Pictures, read_pictures
from onelook.lab.experiment.report.model import Report
from onelook.lab.experiment.report.write import write_report
from onelook.lab.experiment.run import Progress, locked, run_sequence, session_of, started
from onelook.lab.label_columns import LabelOptions
from onelook.settings.process import PASSWORD, Settings, describe_errors, load_settings
from onelook.types import Context


class Experiment:
    """Compares arms on the pictures of `album`; the first arm is the baseline.

        experiment = Experiment("album", {"fused": Context(), "reads": Context(arm="reads")}, margin=0.02)
        await experiment.run()
        experiment.report()

    `album` is a table of labels, a folder with one called `labels`, a folder with one for each category, or, if
    `primary` is latency, a folder of pictures; `labels` says how they are read. An arm is a
    `Context`, or an `ExperimentArm` with settings of its own. `primary` is record, category, latency, or
    attribute:NAME. `margin`: an arm is not worse while it loses less than this share of pictures; `latency_margin` is
    the same of the latency. `cluster`: none, album, folder, day, or column:NAME, for pictures that are not independent.
    `caches`: apart, shared as in production, or both, which asks everything twice. `aa`: whether the baseline is asked
    a second time, which shows what chance alone does. `warm_up`: so many pictures an arm before the run, reported
    apart. `load`: questions at the same time, after those one at a time. `out`: the folder of the design, the outcomes
    and the report; an experiment goes on in it.

    Raises:
        ExperimentError: the design is not possible; nothing was asked.
    """

    def __init__(
        self,
        album: str | Path,
        arms: Mapping[str, Context | ExperimentArm],
        *,
        primary: str = "record",
        margin: float = 0.02,
        latency_margin: float = 0.05,
        alpha: float = 0.05,
        power: float = 0.8,
        stop: Stop = "fixed",
        cluster: str = "none",
        seed: int = 0,
        caches: CacheChoice = "apart",
        aa: bool = True,
        warm_up: int = 2,
        limit: int | None = None,
        load: Load | None = None,
        labels: LabelOptions | None = None,
        out: str | Path | None = None,
        settings: Settings | None = None,
    ) -> None:
        self.album = Path(album)
        self.arms: list[PreparedArm] = prepare(arms, settings or load_settings())
        self._limit = limit
        self._labels = labels or LabelOptions()
        self._out = None if out is None else Path(out)
        self._choices: dict[str, Any] = {
            "primary": primary,
            "margin": margin,
            "latency_margin": latency_margin,
            "alpha": alpha,
            "power": power,
            "stop": stop,
            "cluster": cluster,
            "seed": seed,
            "caches": caches,
            "aa": aa,
            "warm_up": warm_up,
            "load": load or Load(),
        }

    @cached_property
    def pictures(self) -> Pictures:
        """The pictures with their labels, read once."""
        check_metric(self._choices["primary"], self.arms[0].taxonomy)
        return read_pictures(
            self.album,
            [(arm.name, arm.taxonomy) for arm in self.arms],
            cluster=str(self._choices["cluster"]),
            limit=self._limit,
            labelled=self._choices["primary"] != "latency",
            labels=self._labels,
        )

    @cached_property
    def design(self) -> Design:
        """What is written and hashed before the first question."""
        if self._choices["stop"] == "anytime" and self._choices["primary"] == "latency":
            raise ExperimentError(
                "--stop anytime decides by accuracy, and the primary metric is latency",
                hint="use --stop fixed, or --primary record",
            )
        pictures = self.pictures
        try:
            return Design(
                arms=tuple(map(_arm_design, self.arms)),
                order="ABBA" if len(self.arms) == 2 else "random blocks",
                labels=labels_digest([each.truth for each in pictures.pictures]),
                pictures=pictures.pictures,
                **self._choices,
            )
        except ValidationError as error:
            raise ExperimentError(
                f"the design is not possible: {'; '.join(describe_errors(error))}",
                hint="`onelook experiment run --help` lists the choices",
            ) from None

    @property
    def folder(self) -> Path:
        """`out`, or experiments/<album>-<first digits of the design's hash> in the current folder."""
        name = self.album.resolve()
        stem = name.parent.name if name.is_file() else name.name
        return self._out or Path("experiments") / f"{stem}-{self.design.digest[:8]}"

    async def run(self, progress: Progress = lambda done, total, arm: None) -> Report:
        """Ask every question that has no outcome yet, and write the report.

        Raises:
            ExperimentError: the folder holds another design, or an arm cannot start.
        """
        design, folder = self.design, self.folder
        with locked(folder):
            runs = self._begin(design, folder)
            paths = dict(zip((each.name for each in design.pictures), self.pictures.paths, strict=True))
            with RunsFile(folder, runs.torn) as file:
                try:
                    await self._ask(runs, paths, file, progress)
                except ExperimentError as error:
                    file.write(FailedStart(began=time.time(), reason=error.message))
                    raise
        return self.report()

    async def _ask(self, runs: Runs, paths: Mapping[str, Path], file: RunsFile, progress: Progress) -> None:
        design = self.design
        async with started(self.arms, design) as arms:
            session = session_of(design, arms, runs, self.album)
            file.write(session)
            runs.sessions.append(session)
            rule = partial(why_enough, design) if design.stop == "anytime" else None
            await run_sequence(design, arms, paths, runs, file, stopping_rule=rule, progress=progress)
            await run_load(design, arms, paths, runs, file)

    def report(self) -> Report:
        """The report of what is recorded so far; its files are written into `folder`.

        Raises:
            ExperimentError: nothing was asked yet.
        """
        return write_report(self.folder, Limits.of(self.arms[0].settings))

    def _begin(self, design: Design, folder: Path) -> Runs:
        if (folder / FILE).exists():
            known, digest = Design.read(folder)
            if digest != design.digest:
                raise ExperimentError(
                    f"{folder} holds an experiment of another design: {', '.join(_differences(known, design))}",
                    hint="use another --out FOLDER, or the options of that design",
                )
        elif any(folder.glob("*.jsonl")):
            raise ExperimentError(
                f"{folder} holds outcomes without their {FILE}", hint="name a new or an empty folder with --out FOLDER"
            )
        else:
            design.write(folder)
        return read_runs(folder, design.digest)


def _arm_design(arm: PreparedArm) -> ArmDesign:
    settings = arm.settings
    if arm.name.endswith(AGAIN):
        raise ExperimentError(f"arm {arm.name}: this name is for the A/A pair", hint="choose another name")
    model = arm.engine.model if arm.engine is not None else settings.model
    if model is not None and Path(model).is_dir():
        model = Path(model).name
    server = settings.engine == "vllm" and arm.engine is None
    engine = PASSWORD.sub("//***@", f"vllm {settings.base_url}") if server else settings.engine
    return ArmDesign(
        name=arm.name,
        context=arm.context.model_dump(mode="json"),
        settings=dict(arm.changed),
        engine="given" if arm.engine is not None else engine,
        model=model,
        taxonomy=arm.taxonomy.version,
    )


def _differences(one: Design, other: Design) -> list[str]:
    a, b = one.model_dump(mode="json"), other.model_dump(mode="json")
    return [name for name in b if a.get(name) != b[name]] or ["its hash"]
