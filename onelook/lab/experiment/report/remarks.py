"""What a reader must know besides the figures, each remark in English and Chinese."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from onelook.batch.fingerprint import changed_parts
from onelook.lab.experiment.anytime import anytime_verdicts
from onelook.lab.experiment.report.model import LatencyComparison
from onelook.lab.experiment.report.recorded import Recorded
from onelook.lab.experiment.report.sentences import CACHES_ZH, ZH

FEW_PICTURES = 20

Remark = tuple[str, str]


def deviations(recorded: Recorded, written: str) -> list[Remark]:
    """What is not as the design says. `written`: the hash that the design was written with."""
    return list(dict.fromkeys(_deviations(recorded, written)))


def notes(recorded: Recorded, aa: Sequence[LatencyComparison]) -> list[Remark]:
    """What is as the design allows, and limits what the figures say. `aa`: the baseline against itself."""
    return list(dict.fromkeys(_notes(recorded, aa)))


def _deviations(recorded: Recorded, written: str) -> Iterator[Remark]:
    design, runs = recorded.design, recorded.runs
    if design.digest != written:
        yield "design.json was changed after it was hashed", "design.json 在计算哈希后被改动"
    for session in runs.sessions[1:]:
        for arm, parts in session.fingerprints.items():
            if changed := changed_parts(runs.sessions[0].fingerprints.get(arm, {}), parts):
                names = ", ".join(changed)
                yield f"arm {arm} went on with another {names}", f"实验臂 {arm} 继续运行时与首次不同：{names}"
    expected = len(design.pictures) * len(design.names) * len(design.passes)
    missing = expected - len(runs.outcomes)
    if missing > 0 and runs.stopped is None:
        yield (
            f"{missing} of {expected} questions have no outcome: the run is not finished",
            f"{expected} 个问题中有 {missing} 个没有结果：运行尚未完成",
        )
    latest = max((outcome.began for outcome in runs.outcomes), default=0.0)
    for failed in runs.failed_starts[-1:]:
        if failed.began >= latest:
            yield (
                f"the last start failed: {failed.reason}; the same command goes on once this is fixed",
                f"上次启动失败：{failed.reason}；解决后用同一命令继续",
            )
    known = {(each.name, arm) for each in design.pictures for arm in design.names}
    strange = sum((each.picture, each.arm) not in known for each in runs.outcomes)
    if strange:
        yield (
            f"{strange} outcomes are of pictures or arms that are not in the design",
            f"{strange} 个结果的图片或实验臂不在设计中",
        )
    for arm in recorded.arms:
        if len({each.prompts for each in runs.outcomes if each.arm == arm}) > 1:
            yield (
                f"arm {arm} was asked with several versions of its prompts",
                f"实验臂 {arm} 使用了多个版本的提示词",
            )


def _notes(recorded: Recorded, aa: Sequence[LatencyComparison]) -> Iterator[Remark]:
    design, runs = recorded.design, recorded.runs
    for session in runs.sessions:
        yield from ((note, note) for note in session.notes)
        if session.cut_off:
            yield (
                "the last line was cut off, so its question was asked again",
                "最后一行被截断，因此重新问了该问题",
            )
        for arm in session.without_cache_salt:
            yield (
                f"arm {arm}: its server takes no cache_salt, so its caches may be shared with other arms",
                f"实验臂 {arm}：其服务器不支持 cache_salt，缓存可能与其他实验臂共享",
            )
    if len(runs.sessions) > 1:
        times = len(runs.sessions) - 1
        yield f"the run went on {times} times after an interruption", f"运行在中断后继续了 {times} 次"
    if runs.failed_starts:
        count = len(runs.failed_starts)
        yield f"starts that failed before their questions: {count}", f"提问前失败的启动次数：{count}"
    if runs.torn is not None:
        yield (
            "the last line of runs.jsonl is cut off: the same command asks its question again",
            "runs.jsonl 的最后一行被截断：同一命令会重新问该问题",
        )
    if runs.stopped is not None:
        found = "；".join(f"{arm} {ZH[each]}" for arm, each in anytime_verdicts(design, runs.outcomes).items())
        yield (
            f"stopped after {runs.stopped.pictures} pictures, as the stopping rule allows: {runs.stopped.reason}",
            f"按停止规则在 {runs.stopped.pictures} 张图片后停止：{found}",
        )
    if len(design.pictures) < FEW_PICTURES:
        count = len(design.pictures)
        yield (
            f"{count} pictures are too few for anything but large differences",
            f"{count} 张图片太少，只能看出很大的差异",
        )
    for each in aa:
        if not (each.ratio.low or 0) <= 1 <= (each.ratio.high or 1):
            yield (
                f"the A/A pair differs in latency (× {each.ratio.value:.3f}, caches {each.caches}): the machine or the"
                " order changes times by that much, so smaller differences between arms mean nothing",
                f"A/A 对照的延迟有差异（× {each.ratio.value:.3f}，{CACHES_ZH[each.caches]}）：机器或顺序本身就造成"
                "这么大的变化，实验臂之间更小的差异没有意义",
            )
