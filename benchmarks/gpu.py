"""What the arms cost on a GPU: the embedded engine on random weights of Qwen2.5-VL's 3B and 7B sizes.

    python -m benchmarks.gpu --shape FOLDER --json build/bench/gpu.json   # about 5 minutes on an H100
    python -m benchmarks.gpu --small                                      # the same code in little, on any machine

FOLDER has the 3B's `config.json`, `preprocessor_config.json`, chat template and tokenizer, without weights; the 7B's
sizes are derived from it. Replies are dictated (see `benchmarks.dictation`), so that all arms do the work of a right
answer. Beside PyTorch and Transformers it needs the packages in `benchmarks/gpu-requirements.txt`.

The figures are written after each section. A section that runs out of its share of `--minutes` keeps the pictures that
it has measured; one that has no time left, or that this machine cannot run, is listed with the reason.
"""

from __future__ import annotations

import gc
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import torch
import transformers
import typer

from benchmarks.gpu_sections import (
    Figures,
    Measured,
    Skipped,
    arms,
    attention,
    batches,
    jumps,
    quantized,
    siglip,
    vllm,
)
from benchmarks.gpu_table import markdown
from benchmarks.report import write_report
from benchmarks.shapes import grown_to_7b, random_checkpoint, read_config
from onelook.demo.checkpoint import MODEL
from onelook.engines.transformers.loading import choose_device

LONG_EDGES = (448, 768, 1024)
SMALL_LONG_EDGES = (224, 448)


@dataclass
class Report:
    """All figures so far, in a file that a killed run leaves behind."""

    path: Path | None
    ends: float
    figures: Figures = field(default_factory=dict)
    failed: bool = False

    def section(self, name: str, share: float, measure: Callable[[float], Figures]) -> None:
        """Run `measure(until)` for at most `share` of the time that is left."""
        now = time.monotonic()
        left = self.ends - now
        try:
            if left <= 0:
                raise Skipped("no time left")
            self.figures |= measure(now + share * left)
        except Skipped as reason:
            self.figures[f"skipped.{name}"] = str(reason)
        except Exception as error:  # noqa: BLE001  the other sections' figures count too
            traceback.print_exc()
            self.failed = True
            self.figures[f"failed.{name}"] = f"{type(error).__name__}: {error}".splitlines()[0][:300]
        self.figures[f"seconds.{name}"] = round(time.monotonic() - now, 1)
        print(f"{name}: {self.figures[f'seconds.{name}']} s", flush=True)
        self.write()
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def write(self) -> None:
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_report(self.path, self.figures)


def about(device: torch.device, *, small: bool) -> Figures:
    """The machine, and whether these are figures of a real size."""
    card = torch.cuda.get_device_name(device) if device.type == "cuda" else "none (CPU)"
    return {
        "card": card,
        "cuda": torch.version.cuda or "none",
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "small": int(small),
    }


app = typer.Typer(add_completion=False)


@app.command()
def main(
    shape: Annotated[
        Path | None, typer.Option(help="Folder of Qwen2.5-VL-3B without weights.", exists=True, file_okay=False)
    ] = None,
    small: Annotated[bool, typer.Option("--small", help="The bundled model's sizes, in seconds.")] = False,
    minutes: Annotated[float, typer.Option(min=0, help="Time for everything; what does not fit is left out.")] = 5.0,
    pictures: Annotated[int, typer.Option(min=1, help="At most so many pictures for each arm and size.")] = 12,
    device: Annotated[str, typer.Option(help="cuda, cuda:1, cpu, or auto.")] = "auto",
    json: Annotated[Path | None, typer.Option(help="Write the figures to this file.")] = Path("build/bench/gpu.json"),
) -> None:
    """Measure the arms on a GPU."""
    if shape is None and not small:
        raise typer.BadParameter("name the 3B's folder with --shape, or use the bundled sizes with --small")
    folder, place = shape or MODEL, choose_device(device)
    report = Report(json, time.monotonic() + minutes * 60)
    report.figures |= about(place, small=small)
    config: Any = read_config(folder)
    shapes: dict[str, Any] = {"small": config} if small else {"3b": config, "7b": grown_to_7b(config)}
    first = next(iter(shapes))
    edges = SMALL_LONG_EDGES if small else LONG_EDGES

    def opened(name: str) -> Measured:
        return Measured(name, folder, shapes[name], device, pictures, random_checkpoint)

    report.section(f"{first}.arms", 0.35, lambda until: arms(opened(first), edges, until))
    if len(shapes) > 1:
        report.section("7b.arms", 0.45, lambda until: arms(opened("7b"), edges, until))
    report.section(f"{first}.jumps", 0.3, lambda until: jumps(opened(first), edges[1], until))
    report.section("siglip", 0.3, lambda until: siglip(place, small, until))
    report.section(f"{first}.attention", 0.4, lambda until: attention(opened(first), edges[1], until))
    report.section(f"{first}.batch", 0.8, lambda until: batches(opened(first), edges, until))
    report.section(f"{first}.quantized", 0.9, lambda until: quantized(opened(first), edges[1], until))
    report.section("vllm", 1.0, lambda until: vllm(folder, edges[:2], pictures, until))

    table = markdown(report.figures)
    print(table)
    if json is not None:
        json.with_suffix(".md").write_text(table, encoding="utf-8")
    if report.failed:
        raise typer.Exit(1)


if __name__ == "__main__":
    app()
