"""Questions at the same time: what is in flight, and from when a latency counts."""

from __future__ import annotations

import itertools
from pathlib import Path

from onelook.lab.experiment import Experiment
from onelook.lab.experiment.design import Load
from onelook.lab.experiment.outcomes import LoadOutcome, read_runs
from onelook.lab.experiment.report.load import load_figures
from tests.lab.experiment.albums import arm, draw_album


async def test_every_level_of_every_arm_is_run_once_and_reported(tmp_path: Path) -> None:
    album = draw_album(tmp_path / "album", 3)
    load = Load(closed=(1, 4), open=(500.0,), pictures=8, fixed_p95_ms=1e9)
    for _ in range(2):  # the second time has nothing left to ask
        experiment = Experiment(album, {"a": arm(), "b": arm()}, load=load, out=tmp_path / "out")
        report = await experiment.run()
    runs = read_runs(tmp_path / "out", experiment.design.digest)
    assert len(runs.load) == 3 * 2 * 8
    assert all(each.due_s <= each.sent_s <= each.answered_s for each in runs.load)
    assert {(each.arm, each.mode, each.level, each.pictures) for each in report.load.levels} == {
        (name, mode, level, 8) for name in "ab" for mode, level in (("closed", 1), ("closed", 4), ("open", 500))
    }
    assert all(value is not None and value > 0 for value in report.load.at_fixed_p95.values())
    alone = [each for each in runs.load if (each.arm, each.mode, each.level) == ("a", "closed", 1)]
    ordered = sorted(alone, key=lambda each: each.sent_s)
    assert all(one.answered_s <= other.sent_s for one, other in itertools.pairwise(ordered))


def test_a_late_start_counts_as_latency(tmp_path: Path) -> None:
    album = draw_album(tmp_path / "album", 2)
    design = Experiment(album, {"a": arm(), "b": arm()}, load=Load(open=(1.0,), fixed_p95_ms=500)).design
    late = LoadOutcome(
        mode="open",
        level=1,
        arm="a",
        number=0,
        picture="00.png",
        due_s=1,
        sent_s=3,
        answered_s=3.25,
        status="ok",
    )
    figures = load_figures(design, [late])
    assert (figures.levels[0].p50, figures.levels[0].late) == (2250, 2000)
    assert figures.at_fixed_p95 == {"a": None, "b": None}
