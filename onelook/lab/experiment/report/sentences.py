"""The verdicts in words, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from onelook.lab.experiment.design import Caches
from onelook.lab.experiment.metrics import ATTRIBUTE
from onelook.lab.experiment.report.model import AccuracyComparison, Estimate, LatencyComparison
from onelook.lab.statistics.verdict import Verdict

ZH: Final[Mapping[Verdict, str]] = {
    Verdict.BETTER: "更好",
    Verdict.NOT_WORSE: "不更差",
    Verdict.WORSE: "更差",
    Verdict.NOT_KNOWN: "尚不可知",
}
LATENCY_EN: Final[Mapping[Verdict, str]] = {
    Verdict.BETTER: "faster",
    Verdict.NOT_WORSE: "not slower",
    Verdict.WORSE: "slower",
    Verdict.NOT_KNOWN: "latency not known yet",
}
LATENCY_ZH: Final[Mapping[Verdict, str]] = {
    Verdict.BETTER: "更快",
    Verdict.NOT_WORSE: "不更慢",
    Verdict.WORSE: "更慢",
    Verdict.NOT_KNOWN: "延迟尚不可知",
}
CACHES_ZH: Final[Mapping[Caches, str]] = {"apart": "缓存隔离", "shared": "缓存共享"}
METRICS: Final[Mapping[str, tuple[str, str]]] = {
    "record": ("whole records", "整条记录"),
    "category": ("categories", "类别"),
    "latency": ("latency", "延迟"),
}


def metric_words(metric: str) -> tuple[str, str]:
    """A metric's name in English and Chinese."""
    if metric.startswith(ATTRIBUTE):
        name = metric.removeprefix(ATTRIBUTE)
        return name, name
    return METRICS[metric]


def sentence(
    arm: str,
    baseline: str,
    accuracy: AccuracyComparison | None,
    primary: Verdict,
    latency: LatencyComparison | None,
    *,
    margin: float,
) -> dict[str, str]:
    """An arm's verdict, with its figures, and what these pictures could have shown where nothing is known."""
    en, zh = [], []
    if accuracy is not None:
        words_en, words_zh = metric_words(accuracy.metric)
        en.append(
            f"{arm}: {primary} than {baseline} in {words_en}"
            if primary in (Verdict.BETTER, Verdict.WORSE)
            else f"{arm}: {'not worse than' if primary == Verdict.NOT_WORSE else 'not known yet against'} {baseline}"
            f" in {words_en}"
        )
        en[-1] += f" ({points(accuracy.difference)} points, margin {margin * 100:g})"
        zh.append(
            f"{arm} 与 {baseline} 相比，{words_zh}{ZH[primary]}"
            f"（差 {points(accuracy.difference, zh=True)} 个百分点，界值 {margin * 100:g}）"
        )
        if primary == Verdict.NOT_KNOWN:
            seen_en, seen_zh = could_have_seen(accuracy, margin)
            en.append(seen_en)
            zh.append(seen_zh)
    if latency is not None:
        ratio = latency.ratio
        interval = f"{ratio.value:.2f}" + ("" if ratio.low is None else f", {ratio.low:.2f} – {ratio.high:.2f}")
        en.append(f"{LATENCY_EN[latency.verdict]} (median × {interval}, caches {latency.caches})")
        zh.append(f"{LATENCY_ZH[latency.verdict]}（中位数 × {interval}，{CACHES_ZH[latency.caches]}）")
    if accuracy is None and latency is not None:
        en[0], zh[0] = f"{arm}: {en[0]}", f"{arm}：{zh[0]}"
    return {"en": "; ".join(en) + ".", "zh": "；".join(zh) + "。"}


def could_have_seen(accuracy: AccuracyComparison, margin: float) -> tuple[str, str]:
    """What so many pictures can show, and how many the margin needs."""
    seen = accuracy.seen
    if seen.difference is None:
        en = f"these {accuracy.pictures} pictures cannot show a difference of any size with the wanted power"
        zh = f"这 {accuracy.pictures} 张图片以所需的功效看不出任何差异"
    else:
        en = f"these {accuracy.pictures} pictures can show a difference of {seen.difference * 100:.1f} points"
        zh = f"这 {accuracy.pictures} 张图片能看出 {seen.difference * 100:.1f} 个百分点的差异"
    en += f", or that a loss is below {seen.margin * 100:.1f} points"
    zh += f"，或损失不超过 {seen.margin * 100:.1f} 个百分点"
    if seen.needed is not None and seen.needed > accuracy.pictures:
        en += f"; the margin of {margin * 100:g} needs about {seen.needed:,}"
        zh += f"；{margin * 100:g} 个百分点的界值约需 {seen.needed:,} 张"
    return en, zh


def points(difference: Estimate, *, zh: bool = False) -> str:
    """A difference of shares in points, with its interval."""
    value = f"{difference.value * 100:+.1f}"
    if difference.low is None or difference.high is None:
        return value
    to = "至" if zh else "to"
    return f"{value}, {difference.low * 100:+.1f} {to} {difference.high * 100:+.1f}"
