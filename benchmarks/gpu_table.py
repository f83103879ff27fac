"""The figures of `benchmarks.gpu` as Markdown, for the README."""

from __future__ import annotations

import re
from collections.abc import Mapping

COLUMNS = {
    "p50 ms": ("p50_ms", ",.0f"),
    "p95 ms": ("p95_ms", ",.0f"),
    "first token ms": ("first_token_ms", ",.0f"),
    "decode ms a token": ("decode_ms", ".1f"),
    "passes": ("passes", ".1f"),
    "vision ms": ("vision_ms", ",.0f"),
    "image tokens": ("image_tokens", ",.0f"),
    "written": ("written", ".1f"),
    "pictures": ("pictures", ".0f"),
}
Values = Mapping[str, float | int | str | None]


def markdown(figures: Values) -> str:
    """Three tables: what was computed with, the arms and kernels, and single figures; then what was left out."""
    note = " **A small shape: these figures say that the code runs, not what a real model costs.**"
    lines = [
        f"{figures['card']}, CUDA {figures['cuda']}, PyTorch {figures['torch']}, Transformers"
        f" {figures['transformers']}; random weights.{note if figures['small'] else ''}",
        "",
        *_row("", COLUMNS),
        *_row("---", ["--:"] * len(COLUMNS)),
    ]
    rows = dict.fromkeys(name.removesuffix(".p50_ms") for name in figures if name.endswith(".p50_ms"))
    shown = {f"{row}.{name}" for row in rows for name, _ in COLUMNS.values()}
    for row in rows:
        values = [_form(figures.get(f"{row}.{name}"), form) for name, form in COLUMNS.values()]
        lines += _row(row.replace(".", " "), values)
    lines += ["", *_row("figure", ["value"]), *_row("---", ["--:"])]
    single = re.compile(r"_vs_|peak_gib|load_s|make_s|parameters_b|pictures_per_s|^siglip\.")
    for name, value in figures.items():
        if single.search(name) and name not in shown and not name.startswith(("skipped.", "failed.")):
            lines += _row(name.replace(".", " "), [str(value)])
    for kind in ("skipped", "failed"):
        for name, value in figures.items():
            if name.startswith(f"{kind}."):
                lines.append(f"\n{kind}: {name.removeprefix(f'{kind}.')} ({value})")
    return "\n".join(lines) + "\n"


def _form(value: float | int | str | None, form: str) -> str:
    return "" if value is None or isinstance(value, str) else format(value, form)


def _row(first: str, rest: object) -> list[str]:
    assert isinstance(rest, list | dict)
    return ["| " + " | ".join([first, *rest]) + " |"]
