"""`onelook batch status`: how far a batch is, and what other choices would ask again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from onelook.batch.entries import Run
from onelook.batch.progress import Progress
from onelook.batch.status import Reason, Status, VersionStatus, failed_pictures, read_status
from onelook.cli.batch_progress import Prices, line
from onelook.cli.durations import duration
from onelook.cli.failure import reported
from onelook.cli.option_groups import grouped
from onelook.cli.options import JsonOption, SettingsOptions
from onelook.cli.run_options import RunOptions
from onelook.cli.write_json import write_json
from onelook.images.printable import printable
from onelook.types import Context

EPILOG = """
With choices of a run, it also says how many pictures that run would ask about, and why.

\b
Examples:
  onelook batch status tags
  onelook batch status tags --failed
      each picture that failed, with its reason
  onelook batch status tags --taxonomy new.yaml
      what the new taxonomy would cost
"""

app = typer.Typer(add_completion=False)

EXAMPLE = 160


@app.command(epilog=EPILOG)
@grouped
def status(
    folder: Annotated[Path, typer.Argument(help="The batch's folder.")],
    failed: Annotated[
        bool, typer.Option("--failed", help="List every picture that failed, with its reason (tab between).")
    ] = False,
    as_json: JsonOption = False,
    *,
    choices: RunOptions,
    options: SettingsOptions,
) -> None:
    """How far a batch is, why pictures failed, and what other choices would ask again."""
    with reported():
        found = read_status(folder)
        if failed:
            for place, message in failed_pictures(folder, found.versions[-1].version.id) if found.versions else ():
                sys.stdout.write(f"{printable(place.decode(errors='surrogateescape'))}\t{printable(message)}\n")
            return
        if as_json:
            write_json(as_object(found), indent=2)
            return
        for each in lines(found):
            print(each)
        context = choices.context()
        if choices.given or options.given:
            print(_would_ask(folder, context, options))


def _would_ask(folder: Path, context: Context, options: SettingsOptions) -> str:
    from onelook.batch.estimate import Work, count_work
    from onelook.batch.fingerprint import fingerprint
    from onelook.cli.batch_estimate import work_line
    from onelook.cli.stopping import run_until_stopped, stoppable
    from onelook.demo.checkpoint import with_demo_models
    from onelook.tagger import Tagger

    tagger = Tagger(with_demo_models(options.load()))

    async def count() -> Work:
        async with tagger:
            if tagger.services.settings.engine == "vllm":  # only the server knows the name of its model
                await tagger.start(context)
            return count_work(folder, fingerprint(tagger.services, context), (), ("may_pass",))

    with stoppable():
        return f"with these choices: {work_line(run_until_stopped(count()))}"


def lines(status: Status) -> list[str]:
    """For people."""
    shown = [f"{status.listed:,} pictures"]
    shown += [_version_line(each, newest=each is status.versions[-1]) for each in status.versions]
    if status.last_run is not None and status.progress is not None:
        shown.append(_run_line(status.last_run, status.progress, running=status.running))
        if status.last_run.left_out:
            reasons = ", ".join(f"{count:,} {reason}" for reason, count in status.last_run.left_out.items())
            shown.append(f"left out of folders: {reasons}")
    shown += [_reason_line(each) for each in status.reasons]
    return shown


def _version_line(each: VersionStatus, *, newest: bool) -> str:
    counts, version = each.counts, each.version
    made = version.made_from
    name = f"{made.get('model', {}).get('name', '?')}, arm {made.get('arm')}, {made.get('language')}"
    changed = f"; changed: {', '.join(each.changed)}" if each.changed else ""
    outcome = f"{counts['ok']:,} ok, {counts['needs_review']:,} to review, {counts['failed']:,} failed"
    if counts["may_pass"]:
        outcome += f", {counts['may_pass']:,} failed and may work the next time"
    if each.of_other_bytes:
        changed += f"; {each.of_other_bytes:,} of files that have changed since"
    return f"@{version.id}{' (newest)' if newest else ''}: {outcome}, {counts['todo']:,} to do ({name}{changed})"


def _run_line(run: Run, progress: Progress, *, running: bool) -> str:
    if running:
        return f"running, process {run.process}: {line(progress, Prices())}"
    if run.ended is None:
        after = f" {duration(progress.seconds)} after its first picture" if progress.done else ""
        return f"the last run was killed{after}: start it again, it goes on"
    words = {
        "finished": "the last run finished",
        "stopped": "the last run was stopped",
        "failures": "the last run stopped because too many pictures failed",
        "limit": "the last run ended at its --limit",
    }
    return f"{words.get(run.how or '', 'the last run ended')}: {line(progress, Prices())}"


def _reason_line(reason: Reason) -> str:
    example = printable(reason.example)
    short = example if len(example) <= EXAMPLE else f"{example[:EXAMPLE]}…"
    return f"failed, {reason.kind}: {reason.count:,}{' (may work the next time)' if reason.may_pass else ''}; {short}"


def as_object(status: Status) -> dict[str, object]:
    return {
        "listed": status.listed,
        "running": status.running,
        "versions": [
            {
                "version": each.version.id,
                "fingerprint": each.version.fingerprint,
                "made_from": each.version.made_from,
                "changed": each.changed,
                **{name: each.counts[name] for name in ("ok", "needs_review", "failed", "may_pass", "todo")},
                "of_changed_files": each.of_other_bytes,
            }
            for each in status.versions
        ],
        "last_run": None
        if status.last_run is None
        else {
            "begun": status.last_run.begun,
            "ended": status.last_run.ended,
            "how": status.last_run.how,
            "left_out": status.last_run.left_out,
            "progress": status.last_run.progress,
        },
        "reasons": [
            {"kind": each.kind, "count": each.count, "may_pass": each.may_pass, "example": each.example}
            for each in status.reasons
        ],
    }
