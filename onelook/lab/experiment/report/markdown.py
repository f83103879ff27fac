"""`report.md`: the verdicts and their figures, for a pull request or a README."""

from __future__ import annotations

from collections.abc import Iterator

from onelook.lab.experiment.report.model import ArmFigures, Estimate, LatencyComparison, Report
from onelook.lab.experiment.report.sentences import LATENCY_EN, metric_words, points


def markdown(report: Report) -> str:
    """The whole file."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield from _verdicts(report)
    yield from _arms(report)
    if report.accuracy:
        yield from _accuracy(report)
    if report.latency:
        yield from _latency(report)
    yield from _trust(report)
    if report.load.levels:
        yield from _load(report)


def _verdicts(report: Report) -> Iterator[str]:
    yield f"# {report.baseline} against {', '.join(each.arm for each in report.verdicts)}"
    yield ""
    for verdict in report.verdicts:
        yield f"- {verdict.sentence['en']}"
    yield ""
    clusters = "" if report.clusters is None else f" in {report.clusters} clusters"
    yield (
        f"Design `{report.design[:12]}`: {report.pictures} pictures{clusters}, primary metric {report.primary},"
        f" margin {report.margin * 100:g} points, latency margin {report.latency_margin:.0%}, alpha {report.alpha:g},"
        f" power {report.power:g}."
    )
    yield f"{'As designed.' if report.as_designed else 'Deviations from the design:'}"
    yield from (f"- {each}" for each in report.deviations)
    if report.notes:
        yield ""
        yield from (f"- {each}" for each in report.notes)


def _arms(report: Report) -> Iterator[str]:
    yield from _heading("Arms")
    shown = [name for name in ("record", "category") if any(name in each.accuracy for each in report.arms)]
    head = ["arm", *(metric_words(name)[0] for name in shown), "failed", "p50 ms", "p95 ms", "tokens written"]
    yield from _table(head, [_arm_row(report, arm, shown) for arm in report.arms])


def _accuracy(report: Report) -> Iterator[str]:
    yield from _heading(f"Accuracy, against {report.baseline}")
    rows = [
        [
            each.arm,
            metric_words(each.metric)[0],
            points(each.difference),
            f"{each.won} / {each.lost}",
            f"{each.p_value:.3g}",
            str(each.verdict),
            "none" if each.seen.difference is None else f"{each.seen.difference * 100:.1f}",
        ]
        for each in report.accuracy
    ]
    yield from _table(
        ["arm", "metric", "points, interval", "won / lost", "p (Holm)", "verdict", "could have shown"], rows
    )


def _latency(report: Report) -> Iterator[str]:
    yield from _heading(f"Latency, against {report.baseline}")
    yield from _table(
        ["arm", "caches", "median ×, interval", "mean difference, ms", "pictures", "verdict"],
        [_latency_row(each) for each in report.latency],
    )


def _trust(report: Report) -> Iterator[str]:
    yield from _heading("How far it can be trusted")
    if report.aa_accuracy is not None:
        yield f"- A/A pair, accuracy: {points(report.aa_accuracy.difference)} points."
    for pair in report.aa_latency:
        yield f"- A/A pair, latency, caches {pair.caches}: × {_ratio(pair.ratio)}."
    if report.cochran_q_p is not None:
        yield f"- Cochran's Q, all arms are right equally often: p = {report.cochran_q_p:.3g}."
    for arm, warm in report.warm_up.items():
        if warm is not None:
            yield f"- Discarded warm-up of {arm}: median {warm:.0f} ms."
    for stop in report.anytime:
        yield (
            f"- Anytime test of {stop.arm}: e-value {stop.different:.3g} that it differs, {stop.not_worse:.3g} that"
            f" it is not worse; {stop.wanted:.3g} decides."
        )


def _load(report: Report) -> Iterator[str]:
    yield from _heading("Under load")
    rows = [
        [
            each.arm,
            f"{each.level:g} at once" if each.mode == "closed" else f"{each.level:g} a second",
            f"{each.throughput:.2f}",
            *("-" if value is None else f"{value:.0f}" for value in (each.p50, each.p95, each.p99)),
            str(each.failed),
            f"{each.late:.0f}",
        ]
        for each in report.load.levels
    ]
    yield from _table(
        ["arm", "load", "pictures a second", "p50 ms", "p95 ms", "p99 ms", "failed", "latest start, ms"], rows
    )
    for arm, best in report.load.at_fixed_p95.items():
        yield ""
        yield f"- {arm}, within the wanted p95: {'no level' if best is None else f'{best:.2f} pictures a second'}."


def _heading(words: str) -> Iterator[str]:
    yield ""
    yield f"## {words}"
    yield ""


def _arm_row(report: Report, arm: ArmFigures, metrics: list[str]) -> list[str]:
    accuracy = [_percent(arm.accuracy[name]) if name in arm.accuracy else "-" for name in metrics]
    timed = arm.latency.get(report.caches[0])
    times = ["-", "-"] if timed is None else [f"{timed.p50.value:.0f}", f"{timed.p95.value:.0f}"]
    tokens = "-" if arm.completion_tokens is None else f"{arm.completion_tokens:.1f}"
    return [arm.name, *accuracy, str(arm.failed), *times, tokens]


def _latency_row(each: LatencyComparison) -> list[str]:
    left_out = f" ({each.left_out} left out)" if each.left_out else ""
    return [
        each.arm,
        each.caches,
        _ratio(each.ratio),
        f"{each.difference:+.0f}",
        f"{each.pictures}{left_out}",
        LATENCY_EN[each.verdict],
    ]


def _ratio(ratio: Estimate) -> str:
    return f"{ratio.value:.3f}" + ("" if ratio.low is None else f", {ratio.low:.3f} to {ratio.high:.3f}")


def _percent(share: Estimate) -> str:
    interval = "" if share.low is None or share.high is None else f" ({share.low:.1%} to {share.high:.1%})"
    return f"{share.value:.1%}{interval}"


def _table(head: list[str], rows: list[list[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
