"""The shortest way to a first answer."""

from __future__ import annotations

import logging
import threading
from typing import Any

from onelook.demo.checkpoint import demo_note, with_demo_models
from onelook.result import TagResult
from onelook.settings.process import Settings, load_settings
from onelook.tagger import Tagger
from onelook.types import Context, Subject

log = logging.getLogger("onelook")


class _Kept:
    """The Tagger of the last call, and the settings that it was made for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._settings: Settings | None = None
        self._tagger: Tagger | None = None

    def tag(self, settings: Settings, picture: Subject, context: Context | None) -> TagResult:
        with self._lock:
            if self._tagger is None or settings != self._settings:
                if self._tagger is not None:
                    self._tagger.close()
                self._settings, self._tagger = None, None
                self._tagger = Tagger(settings)
                self._settings = settings
                if note := demo_note(settings, self._tagger.services.prompts):
                    log.warning("%s", note.text("python"))
            return self._tagger.tag_sync(picture, context)


_kept = _Kept()


def tag(picture: Subject, context: Context | None = None, **settings: Any) -> TagResult:
    """Tag one picture, or a list of up to five of one subject, and wait for the result.

        onelook.tag("cat.jpg")
        onelook.tag("cat.jpg", engine="vllm", base_url="http://localhost:8000/v1")

    For a first try: calls wait for one another. For many pictures, use a `Tagger`. The model stays in memory for the
    next call with the same settings. Where no model is named, the bundled demo model answers; it knows the bundled
    drawings only.

    `picture`: see `Tagger.tag`. `settings`: fields of `Settings`; what is not given comes from the environment.

    Raises:
        SettingsError: a setting or `context` is wrong.
        TaxonomyError, PromptError: the taxonomy or a template is wrong.
        EngineIncapable: the engine needs a package that is not installed.
    """
    return _kept.tag(with_demo_models(load_settings(**settings)), picture, context)
