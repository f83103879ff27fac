"""Writes the report's files into the folder of the experiment, from what is recorded there."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import orjson

from onelook.errors import ExperimentError
from onelook.images.limits import Limits
from onelook.lab.experiment.report.compute import read_report
from onelook.lab.experiment.report.junit import junit
from onelook.lab.experiment.report.markdown import markdown
from onelook.lab.experiment.report.model import Report
from onelook.lab.experiment.report.page.document import Language, page, problem_page
from onelook.lab.experiment.report.thumbnails import thumbnails
from onelook.settings.process import load_settings

PAGE: Final = "report.html"
FILES: Final = ("report.json", "report.md", "junit.xml", PAGE)


def write_report(folder: Path, limits: Limits | None = None, language: Language | None = None) -> Report:
    """Compute the report of the experiment in `folder`, and write it. The same outcomes give the same bytes.

    `limits`: for reading pictures that have no thumbnail yet; None: those of the settings. `language`: in which
    report.html opens; None: the reader's.

    Raises:
        ExperimentError: there is no experiment, or a file of it is broken; then report.html says so too, and is no
            report of earlier outcomes.
    """
    try:
        report, recorded = read_report(folder)
    except ExperimentError as error:
        if (folder / PAGE).exists():
            _write(folder, PAGE, problem_page(error, language))
        raise
    shown = thumbnails(folder, recorded, limits or Limits.of(load_settings()))
    data = orjson.dumps(report.model_dump(mode="json"), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    contents = (data, markdown(report).encode(), junit(report), page(report, recorded, shown, language))
    for name, content in zip(FILES, contents, strict=True):
        _write(folder, name, content)
    return report.in_folder(folder)


def _write(folder: Path, name: str, content: bytes) -> None:
    part = folder / f"{name}.part"
    part.write_bytes(content)
    part.replace(folder / name)
