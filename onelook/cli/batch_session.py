"""The run of `onelook batch`: its engine, its progress on the terminal, and its end."""

from __future__ import annotations

import os
from collections import Counter

import typer

from onelook.answering.bug import BUG
from onelook.batch.entries import How, State, Version
from onelook.batch.fingerprint import Fingerprint, fingerprint
from onelook.batch.ledger import Ledger
from onelook.batch.runner import BatchRun, Plan
from onelook.batch.stopping_rules import MaxFailures
from onelook.cli.batch_progress import Prices, ProgressLine, totals
from onelook.cli.bug_traces import keep_bug_traces
from onelook.cli.draining import draining
from onelook.cli.notes import print_note
from onelook.cli.stopping import Stopped, leave, run_until_stopped
from onelook.demo.checkpoint import demo_note
from onelook.images.printable import printable
from onelook.images.walk import Found
from onelook.result import TagResult
from onelook.steady_memory import freeze_loaded, tune_malloc
from onelook.tagger import Tagger
from onelook.types import Context


class Session:
    """The run of one command: its engine, its progress on the terminal, and its end."""

    def __init__(
        self,
        tagger: Tagger,
        ledger: Ledger,
        context: Context,
        again: tuple[State, ...],
        limit: int | None,
        rules: MaxFailures | None,
        prices: Prices,
        found: Found,
    ) -> None:
        self._tagger, self._ledger, self._context = tagger, ledger, context
        self._again, self._limit, self._rules, self._prices, self._found = again, limit, rules, prices, found
        self._batch: BatchRun | None = None
        self._line = ProgressLine(prices)
        self._version = 0
        self._how: How | None = None
        self._stopping = False
        self._bug = self._started = False

    def run(self) -> None:
        tune_malloc()
        traces = keep_bug_traces()
        stopped: Stopped | None = None
        with draining(self._stop) as drain:
            try:
                run_until_stopped(self._work())
            except Stopped as signalled:
                stopped = signalled
            finally:
                self._line.stop()
        if self._bug:
            print_note(f"onelook has a bug: {traces} has the stack trace. Please report it.")
        counts = self._ledger.count(self._version)
        left = self._ledger.count_todo(self._version, ("may_pass",))
        self._summarize(counts, left)
        if stopped is not None:
            leave(stopped)
        complete = not (left or counts["failed"] or self._found.closed)
        raise typer.Exit(int(not complete) if drain.exit_code is None else drain.exit_code)

    def _stop(self) -> None:
        self._stopping = True
        if self._batch is not None:
            self._batch.stop()
        in_flight = 0 if self._batch is None else self._batch.progress().in_flight
        self._line.note(f"finishing {in_flight} pictures in flight; once more, and it ends at once")

    async def _work(self) -> None:
        async with self._tagger as tagger:
            if note := demo_note(tagger.services.settings, tagger.services.prompts):
                print_note(note.text("terminal"))
            if tagger.services.settings.engine == "vllm":  # only the server knows the name of its model
                await self._start()
            made = fingerprint(tagger.services, self._context)
            known = self._ledger.versions()
            self._version = self._ledger.version(made)
            if self._announce(made, known):
                await self._start()
            run = self._ledger.begin_run(self._version, os.getpid(), self._found.left_out)
            plan = Plan(self._version, self._again, self._limit, self._rules)
            batch = BatchRun(tagger, self._ledger, plan, run, self._context, on_outcome=self._seen)
            self._batch = batch
            if self._stopping:
                batch.stop()
            freeze_loaded()
            with self._line.following(batch.progress):
                self._how = await batch.run()

    async def _start(self) -> None:
        """Load the model, or ask the server what it can do, before the first picture needs it."""
        if self._started:
            return
        self._started = True
        with self._line.starting():
            await self._tagger.start(self._context)
        if stale := self._tagger.calibration_note(self._context):
            print_note(stale)

    def _seen(self, _: str, result: TagResult) -> None:
        self._bug = self._bug or any(error.kind == BUG for error in result.errors)

    def _announce(self, made: Fingerprint, known: list[Version]) -> int:
        """How many pictures are to do."""
        todo = self._ledger.count_todo(self._version, self._again)
        listed = self._ledger.count(None)["todo"]
        version = ""
        if known and all(each.fingerprint != made.digest for each in known):
            changed = ", ".join(made.changed_since(known[-1].made_from))
            version = f"; a new version of the answers, @{self._version}: {changed} changed since @{known[-1].id}"
        elif len(known) > 1:
            version = f"; version @{self._version} of the answers"
        print_note(f"{listed:,} pictures, {todo:,} to do{version}")
        return todo

    def _summarize(self, counts: Counter[str], left: int) -> None:
        if self._batch is None:
            return
        progress = self._batch.progress()
        if progress.todo:
            print_note(totals(progress, self._prices))
        if self._batch.reason is not None:
            print_note(f"stopped: {self._batch.reason}")
        folder = printable(str(self._ledger.folder))
        parts = [f"{counts['ok'] + counts['needs_review']:,} of {counts.total():,} have an answer"]
        if counts["failed"]:
            parts.append(f"{counts['failed']:,} failed: `onelook batch status {folder}` has the reasons")
        if left:
            passing = f" ({counts['may_pass']:,} of them failed and may work then)" if counts["may_pass"] else ""
            parts.append(f"{left:,} still to do{passing}: the same command goes on")
        print_note("; ".join(parts))
