"""The training loop of all stages: seeded, resumable, with one gradient per core at a time."""

from __future__ import annotations

import json
import math
import os
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn

from tools.demo_model.train.optimizer import optimizers
from tools.demo_model.train.vision_pretrain import Hit, accuracies

SAVE_EVERY = 50
LOG_EVERY = 25
CLIP = 1.0

Share = Callable[[random.Random, float], tuple[Tensor, Sequence[Hit]]]
"""A part of one step: from a random generator and the progress (0 to 1) to a loss and its hits."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Number of steps and learning rate of a stage. The `shares` of a step are computed in parallel, one per core."""

    name: str
    steps: int
    rate: float
    shares: int = 4
    warmup: int = 50
    weight_decay: float = 0.05
    seed: int = 0

    def rate_at(self, step: int) -> float:
        """Linear warm-up, then a cosine down to a twentieth (Loshchilov and Hutter 2017, arXiv 1608.03983)."""
        done = max(0.0, (step - self.warmup) / max(1, self.steps - self.warmup))
        return self.rate * min((step + 1) / self.warmup, 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * done)))


def scheduled(schedule: Sequence[tuple[float, tuple[int, ...]]], progress: float) -> tuple[int, ...]:
    """The value for this progress; each applies until its share of the stage, the last one until the end."""
    return next((value for until, value in schedule if progress < until), schedule[-1][1])


@contextmanager
def fast_arithmetic() -> Iterator[None]:
    """One thread, because each share has its own, and bfloat16 in matrix products, float32 elsewhere: twice as fast on
    a CPU with AMX. Both settings are global, so they are restored at the end."""
    onednn: Any = torch.backends.mkldnn
    threads, precision = torch.get_num_threads(), onednn.matmul.fp32_precision
    torch.set_num_threads(1)
    onednn.matmul.fp32_precision = "bf16"
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        onednn.matmul.fp32_precision = precision


@fast_arithmetic()
def train(
    plan: Plan,
    module: nn.Module,
    share: Share,
    folder: Path,
    *,
    console: Console,
    slow: Iterable[Tensor] = (),
    stop: int | None = None,
) -> None:
    """Train `module` in place; continue from the state in `folder` if there is one. `slow` parameters have a lower
    learning rate. `stop`: end after that many of the plan's steps; the next call continues.

    The random generator of a step depends on seed and step only, so an interrupted and resumed run is the same run.
    Loss and accuracies are written to `<name>.jsonl` in `folder`.
    """
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    rules = optimizers(module, rate=plan.rate, weight_decay=plan.weight_decay, slow=slow)
    state, log = folder / f"{plan.name}.pt", folder / f"{plan.name}.jsonl"
    start, last = _resume(state, module, rules), plan.steps if stop is None else stop

    def gradients(step: int, number: int) -> tuple[tuple[Tensor | None, ...], float, Sequence[Hit]]:
        torch.set_num_threads(1)
        rng = random.Random(f"{plan.name} {plan.seed} {step} {number}")  # noqa: S311
        loss, hits = share(rng, step / plan.steps)
        return torch.autograd.grad(loss, parameters, allow_unused=True), loss.item(), hits

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    losses: list[float] = []
    hits_so_far: list[Hit] = []
    module.train()
    cores = min(plan.shares, os.cpu_count() or 1)
    with ThreadPoolExecutor(cores) as pool, Progress(*columns, console=console) as progress:
        task = progress.add_task(plan.name, total=plan.steps, completed=start)
        for step in range(start, last):
            parts = list(pool.map(gradients, [step] * plan.shares, range(plan.shares)))
            for index, parameter in enumerate(parameters):
                given = [part[0][index] for part in parts]
                known = [gradient for gradient in given if gradient is not None]
                parameter.grad = torch.stack(known).sum(0) / plan.shares if known else None
            nn.utils.clip_grad_norm_(parameters, CLIP)
            for rule in rules:
                for group in rule.param_groups:
                    group["lr"] = plan.rate_at(step) * group["factor"]
                rule.step()
            losses += [part[1] for part in parts]
            hits_so_far += [hit for part in parts for hit in part[2]]
            if (step + 1) % LOG_EVERY == 0:
                line = {"step": step + 1, "loss": sum(losses) / len(losses), **accuracies(hits_so_far)}
                with log.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({key: round(value, 4) for key, value in line.items()}) + "\n")
                progress.update(task, description=f"{plan.name}, loss {line['loss']:.3f}")
                losses, hits_so_far = [], []
            if (step + 1) % SAVE_EVERY == 0 or step + 1 == last:
                _save(state, module, rules, step + 1)
            progress.advance(task)
    module.eval()


def _resume(state: Path, module: nn.Module, rules: Sequence[torch.optim.Optimizer]) -> int:
    if not state.is_file():
        return 0
    saved = torch.load(state, weights_only=True)
    module.load_state_dict(saved["module"])
    for rule, kept in zip(rules, saved["rules"], strict=True):
        rule.load_state_dict(kept)
    step: int = saved["step"]
    return step


def _save(state: Path, module: nn.Module, rules: Sequence[torch.optim.Optimizer], step: int) -> None:
    unfinished = state.with_name(f".{state.name}.{os.getpid()}")
    kept = {"module": module.state_dict(), "rules": [rule.state_dict() for rule in rules], "step": step}
    torch.save(kept, unfinished)
    unfinished.rename(state)
