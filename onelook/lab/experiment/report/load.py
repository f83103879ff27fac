"""Latency and throughput under load."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import quantiles

from onelook.lab.experiment.design import Design
from onelook.lab.experiment.outcomes import LoadOutcome
from onelook.lab.experiment.report.model import LoadFigures, LoadLevel


def load_figures(design: Design, outcomes: Sequence[LoadOutcome]) -> LoadFigures:
    """Each level of each arm, and the highest throughput within the wanted 95th percentile."""
    groups: dict[tuple[str, str, float], list[LoadOutcome]] = {}
    for each in outcomes:
        members = groups.setdefault((each.arm, each.mode, each.level), [])
        if each.number == 0:  # a level that was run again
            members.clear()
        members.append(each)
    levels = tuple(_level(members) for members in groups.values())
    wanted = design.load.fixed_p95_ms
    if wanted is None:
        return LoadFigures(levels=levels)
    fitting: dict[str, float | None] = {}
    for arm in design.arms:
        within = [
            each.throughput
            for each in levels
            if each.arm == arm.name and each.p95 is not None and each.p95 <= wanted and not each.failed
        ]
        fitting[arm.name] = max(within, default=None)
    return LoadFigures(levels=levels, at_fixed_p95=fitting)


def _level(members: Sequence[LoadOutcome]) -> LoadLevel:
    first = members[0]
    answered = [each for each in members if each.status != "failed"]
    times = sorted(each.latency_ms for each in answered)
    cuts = quantiles(times, n=100, method="inclusive") if len(times) > 1 else [times[0]] * 99 if times else None
    last = max(each.answered_s for each in members)
    return LoadLevel(
        arm=first.arm,
        mode=first.mode,
        level=first.level,
        pictures=len(members),
        failed=len(members) - len(answered),
        throughput=len(answered) / last if last else 0.0,
        p50=cuts and cuts[49],
        p95=cuts and cuts[94],
        p99=cuts and cuts[98],
        late=max((each.sent_s - each.due_s) * 1000 for each in members),
    )
