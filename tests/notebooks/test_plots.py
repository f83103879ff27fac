"""The pictures that the notebooks draw hold all that they are drawn from."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import pytest

from onelook.ledger.model import Ledger, NodeTiming, Span

FOLDER = Path(__file__).parent.parent.parent / "notebooks"


def ledger(end_ms: float) -> Ledger:
    engine = Span(name="engine", start_ms=2, end_ms=end_ms)
    return Ledger(nodes=(NodeTiming(name="analyze", start_ms=1, end_ms=end_ms, spans=(engine,)),), wall_ms=end_ms)


@pytest.mark.parametrize("ends_ms", [(400, 900), (900, 400), (3, 2)], ids=["longer last", "longer first", "short"])
def test_waterfalls_side_by_side_hold_the_whole_of_both(
    ends_ms: tuple[float, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    mpl.use("Agg")
    from matplotlib import pyplot
    from plots import draw_waterfall

    figure, both = pyplot.subplots(1, 2, sharex=True)
    for axes, end_ms in zip(both, ends_ms, strict=True):
        draw_waterfall(axes, ledger(end_ms), "arm")
    for axes in both:
        left, right = axes.get_xlim()
        assert left == 0
        assert right > max(ends_ms)
    pyplot.close(figure)
