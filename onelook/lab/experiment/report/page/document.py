"""The whole page: text and drawings from a template, the gallery's data, and a policy that allows nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from onelook.errors import OnelookError
from onelook.lab.experiment.design import ArmDesign
from onelook.lab.experiment.report.model import Report
from onelook.lab.experiment.report.page import rows
from onelook.lab.experiment.report.page.curves import reliability, risk_coverage_plot
from onelook.lab.experiment.report.page.distributions import distribution_chart
from onelook.lab.experiment.report.page.forest import CACHES, accuracy_charts, latency_charts
from onelook.lab.experiment.report.page.gain import gains, kinds_shown, time_charts
from onelook.lab.experiment.report.page.gallery import gallery
from onelook.lab.experiment.report.page.pareto import pareto
from onelook.lab.experiment.report.page.plot import number, series
from onelook.lab.experiment.report.page.words import Both, both
from onelook.lab.experiment.report.recorded import Recorded
from onelook.lab.experiment.report.remarks import deviations, notes
from onelook.lab.experiment.report.sentences import ZH, metric_words
from onelook.lab.experiment.report.thumbnails import Missing
from onelook.lab.statistics.verdict import Verdict
from onelook.standalone_page import WEB, joined, policy

FILES: Final = files("onelook.lab.experiment.report.page") / "files"
STYLES: Final = (WEB / "base.css", WEB / "frame.css", WEB / "gallery.css", FILES / "report.css")
STANDALONE: Final = WEB / "standalone.js"
SCRIPTS: Final = (STANDALONE, *(FILES / name for name in ("words.js", "gallery.js", "details.js")))

Language = Literal["en", "zh"]


def page(
    report: Report,
    recorded: Recorded,
    thumbnails: Mapping[str, bytes | Missing],
    language: Language | None = None,
    *,
    originals: bool = True,
) -> bytes:
    """`language`: in which the page opens; None: that of the reader's browser. `originals`: with links to pictures."""
    data = {name: Markup(block.decode()) for name, block in gallery(recorded, thumbnails, originals=originals).items()}  # noqa: S704
    return _render("report.html", language, joined(*SCRIPTS), **_content(report, recorded), data=data)


def problem_page(error: OnelookError, language: Language | None = None) -> bytes:
    """In the place of a report that cannot be computed: the reason, and what to do."""
    return _render("problem.html", language, f"{joined(STANDALONE)}\nspeak(language);\n", error=error)


def _render(template: str, language: Language | None, script: str, **content: Any) -> bytes:
    style = joined(*STYLES)
    text = (
        _templates()
        .get_template(template)
        .render(
            language=language,
            style=Markup(style),  # noqa: S704 - our own files
            script=Markup(script),  # noqa: S704
            policy=Markup(policy(style, script)),  # noqa: S704
            say=both,
            **content,
        )
    )
    return text.encode()


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("onelook.lab.experiment.report.page", "files"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _content(report: Report, recorded: Recorded) -> dict[str, Any]:
    return {
        "report": report,
        "design": recorded.design,
        "title": f"{report.baseline} : {', '.join(each.arm for each in report.verdicts)}",
        "when": _when(recorded),
        "album": _album(recorded),
        "machines": sorted({each.machine for each in recorded.runs.sessions}),
        "summary": summary(report),
        "deviations": [both(*each) for each in deviations(recorded, report.design)],
        "notes": [both(*each) for each in notes(recorded, report.aa_latency)],
        "badges": {each.arm: _badges(report, each.arm) for each in report.verdicts},
        "series": {arm.name: series(place) for place, arm in enumerate(report.arms)},
        "metric": _metric,
        "common": (common := _common(recorded.design.arms)),
        "own": {
            arm.name: {name: value for name, value in _choices(arm).items() if name not in common}
            for arm in recorded.design.arms
        },
        "forest": accuracy_charts(report),
        "latency": latency_charts(report),
        "pareto": pareto(report),
        "distributions": distribution_chart(report),
        "times": time_charts(report),
        "kinds": kinds_shown(report),
        "gains": gains(report),
        "reliability": reliability(report),
        "risk_coverage": risk_coverage_plot(report),
        "caches": CACHES,
        "rows": rows,
        "number": number,
    }


def _when(recorded: Recorded) -> str:
    times = [each.began for each in recorded.runs.outcomes]
    if not times:
        return ""
    first, last = (datetime.fromtimestamp(each, UTC) for each in (min(times), max(times)))
    end = f"{last:%H:%M}" if first.date() == last.date() else f"{last:%Y-%m-%d %H:%M}"
    return f"{first:%Y-%m-%d %H:%M} – {end} UTC"


def _album(recorded: Recorded) -> str:
    """The last two parts of its path."""
    sessions = recorded.runs.sessions
    return "/".join(sessions[-1].album.replace("\\", "/").rstrip("/").split("/")[-2:]) if sessions else ""


def _metric(name: str) -> Both:
    return both(*metric_words(name))


def _choices(arm: ArmDesign) -> dict[str, str]:
    """What an arm is: its engine and model, its choices, and the settings that it changes."""
    chosen = {name: str(value) for name, value in arm.context.items() if value not in (None, False, "")}
    return {"engine": arm.engine, **({"model": arm.model} if arm.model else {}), **chosen, **arm.settings}


def _common(arms: Sequence[ArmDesign]) -> dict[str, str]:
    """What all arms have alike."""
    first, *others = map(_choices, arms)
    return {name: value for name, value in first.items() if all(each.get(name) == value for each in others)}


def _badges(report: Report, arm: str) -> list[rows.Badge]:
    verdict = next(each for each in report.verdicts if each.arm == arm)
    found = [] if report.primary == "latency" else [rows.accuracy_badge(verdict.primary)]
    return [*found, *([] if verdict.latency is None else [rows.latency_badge(verdict.latency)])]


def summary(report: Report) -> Both:
    """The verdict on all arms in one sentence."""
    groups: dict[Verdict, list[str]] = {}
    for each in report.verdicts:
        groups.setdefault(each.primary, []).append(each.arm)
    order = [each for each in (Verdict.BETTER, Verdict.NOT_WORSE, Verdict.WORSE, Verdict.NOT_KNOWN) if each in groups]
    en, zh = metric_words(report.primary)
    texts = []
    for verdict in order:
        names = groups[verdict]
        verb = "is" if len(names) == 1 else "are"
        texts.append(
            (
                f"{_list(names, ' and ')} {verb} {verdict}",
                f"{_list(names, '、', '、')} {ZH[verdict]}",
            )
        )
    base = report.baseline
    count = report.pictures
    return both(
        f"Against {base}, in {en} on {count} {'picture' if count == 1 else 'pictures'}:"
        f" {'; '.join(each for each, _ in texts)}.",
        f"与 {base} 相比，在 {count} 张图片上，就{zh}而言：{'；'.join(each for _, each in texts)}。",
    )


def _list(names: list[str], last: str, between: str = ", ") -> str:
    return last.join([between.join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
