"""The simulations that documented figures come from."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.statistics import main


def test_the_benchmark_prints_its_figures_and_writes_them(tmp_path: Path) -> None:
    main(runs=8, experiments=400, json=tmp_path / "statistics.json")

    figures = json.loads((tmp_path / "statistics.json").read_text(encoding="utf-8"))
    assert figures["false_alarms_anytime"] < 0.09 < figures["false_alarms_mcnemar_peeking"]
    assert figures["false_alarms_anytime_albums"] < 0.09 < figures["false_alarms_anytime_albums_as_pictures"]
    assert 0 <= figures["coverage_min"] <= figures["coverage_max"] == 1
    assert figures["power_error"] < 0.3
    assert "coverage: paired_difference 0.04, 200, albums" in figures
