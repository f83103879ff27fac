"""Keeps several processes of one server running, and stops them together.

Not uvicorn's supervisor: that one imports the application again in each process, which then has what its files say at
that moment, ends with exit code 0 when no process could start, waits for ever after a second Ctrl-C, goes on when its
terminal closes, and leaves its processes behind when it is killed.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from threading import Thread
from types import FrameType
from typing import Final

from uvicorn.config import STARTUP_FAILURE

log = logging.getLogger("onelook")

HANGUP: Final = getattr(signal, "SIGHUP", signal.SIGTERM)  # Windows has none
STOPPING: Final = {signal.SIGINT, signal.SIGTERM, HANGUP}

REST_S: Final = 0.5  # before a lost worker is replaced: one that always dies at once must not take the whole machine


class Supervisor:
    """`run()`: `count` forked processes that call `work(number)`, with numbers from 0, until a signal stops them.

    SIGTERM, SIGHUP or Ctrl-C: `on_stop` is called, and the workers get SIGTERM; a Ctrl-C after that kills them. A
    worker that ends before is replaced by one with its number, after `on_lost(number)`. When this process dies, each
    worker calls `on_orphaned` and gets SIGTERM.
    """

    def __init__(
        self,
        count: int,
        work: Callable[[int], None],
        *,
        on_stop: Callable[[], None] = lambda: None,
        on_lost: Callable[[int], None] = lambda number: None,
        on_orphaned: Callable[[], None] = lambda: None,
    ) -> None:
        self._count = count
        self._work = work
        self._on_stop = on_stop
        self._on_lost = on_lost
        self._on_orphaned = on_orphaned
        self._workers: dict[int, BaseProcess] = {}
        self._stopped_by: int | None = None
        self._failed = False
        self._death, self._alive = os.pipe()  # only this process has `_alive`, so `_death` ends with it

    def run(self) -> int | None:
        """Returns the signal that stopped it; None if a worker could not start."""
        before = {each: signal.getsignal(each) for each in STOPPING}
        for each, handler in before.items():
            if handler != signal.SIG_IGN:  # `nohup`
                signal.signal(each, self._stop)
        try:
            for number in range(self._count):
                self._start(number)
            while self._workers:
                ended = wait([worker.sentinel for worker in self._workers.values()])
                for number, worker in list(self._workers.items()):
                    if worker.sentinel in ended:
                        self._replace(number, worker)
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)
        return self._stopped_by

    def _start(self, number: int) -> None:
        if self._stopping:
            return
        worker = multiprocessing.get_context("fork").Process(target=self._be_worker, args=(number,), daemon=True)
        with _blocked():
            worker.start()
            self._workers[number] = worker
        if self._stopping:  # a signal arrived meanwhile
            worker.terminate()

    def _replace(self, number: int, worker: BaseProcess) -> None:
        worker.join()
        del self._workers[number]
        self._on_lost(number)
        if self._stopping:
            return
        fields = {"pid": worker.pid, "by": _cause(worker.exitcode)}
        if worker.exitcode == STARTUP_FAILURE:
            log.error("a worker could not start, so all end", extra={"fields": fields})
            self._failed = True
            self._end_all()
            return
        log.error("worker lost, another one takes its place", extra={"fields": fields})
        time.sleep(REST_S)
        self._start(number)

    @property
    def _stopping(self) -> bool:
        return self._failed or self._stopped_by is not None

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if not self._stopping:
            self._stopped_by = number
            self._end_all()
        elif number == signal.SIGINT:
            for worker in list(self._workers.values()):
                worker.kill()

    def _end_all(self) -> None:
        self._on_stop()
        for worker in list(self._workers.values()):
            worker.terminate()

    def _be_worker(self, number: int) -> None:
        """SIGINT and SIGHUP stay blocked: a terminal sends them to all processes, and the supervisor decides."""
        os.close(self._alive)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        Thread(target=self._end_with_supervisor, name="supervisor's death", daemon=True).start()
        self._work(number)

    def _end_with_supervisor(self) -> None:
        os.read(self._death, 1)
        self._on_orphaned()
        os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def _blocked() -> Iterator[None]:
    """What arrives inside is handled afterwards. A process that is forked inside begins with these signals blocked."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _cause(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        return signal.Signals(-exitcode).name
    return f"exit code {exitcode}"
