"""A report in a notebook: its sentences as plain HTML, and the whole page in a frame that is kept apart."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from markupsafe import Markup, escape

from onelook.images.limits import Limits
from onelook.lab.experiment.report.compute import read_recorded
from onelook.lab.experiment.report.model import Report
from onelook.lab.experiment.report.page.document import page
from onelook.lab.experiment.report.thumbnails import thumbnails
from onelook.settings.process import load_settings

MOST: Final = 48
"""So many thumbnails: a notebook holds the page in its file. Those whose arms differ come first."""


def notebook(report: Report, folder: Path) -> str:
    """A page that shows notebooks without scripts or frames still has the sentences. It names no folder: a notebook is
    shared, and a frame opens no file."""
    recorded = read_recorded(folder)
    shown = thumbnails(folder, recorded, Limits.of(load_settings()), MOST)
    sentences = Markup().join(Markup("<li>{}</li>").format(each.sentence["en"]) for each in report.verdicts)
    return Markup(
        '<ul>{}</ul><iframe title="report.html" sandbox="allow-scripts" srcdoc="{}" width="100%" height="820"'
        ' style="border:1px solid rgba(128,128,128,.35);border-radius:8px"></iframe>'
    ).format(sentences, escape(page(report, recorded, shown, originals=False).decode()))
