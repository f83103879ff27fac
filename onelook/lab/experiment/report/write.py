"""Writes the report's files into the folder of the experiment, from what is recorded there."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import orjson

from onelook.lab.experiment.report.compute import read_report
from onelook.lab.experiment.report.junit import junit
from onelook.lab.experiment.report.markdown import markdown
from onelook.lab.experiment.report.model import Report

FILES: Final = ("report.json", "report.md", "junit.xml")


def write_report(folder: Path) -> Report:
    """Compute the report of the experiment in `folder`, and write it. The same outcomes give the same bytes.

    Raises:
        ExperimentError: there is no experiment, or a file of it is broken.
    """
    report, _ = read_report(folder)
    data = orjson.dumps(report.model_dump(mode="json"), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    contents = (data, markdown(report).encode(), junit(report))
    for name, content in zip(FILES, contents, strict=True):
        part = folder / f"{name}.part"
        part.write_bytes(content)
        part.replace(folder / name)
    return report
