"""Tags pictures in one guided look. The names in `__all__` are the library; everything else may move.

Each name is loaded when it is first used: `onelook --help` needs none of them.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onelook.dataframe import to_dataframe
    from onelook.errors import (
        BatchError,
        DeadlinePassed,
        DiskFull,
        EngineError,
        EngineFailed,
        EngineIncapable,
        EngineOverloaded,
        EngineRefused,
        EngineTimeout,
        EngineUnavailable,
        ExperimentError,
        ImageError,
        ImageNotFound,
        ImageRefused,
        ImageTooLarge,
        ImageUnreachable,
        ImageUnreadable,
        LabelsError,
        LedgerDamaged,
        MetadataError,
        OnelookError,
        PromptError,
        ReplyError,
        ReplyInvalid,
        ReplyTruncated,
        SettingsError,
        TableError,
        TaxonomyError,
        UserError,
    )
    from onelook.prompts.taxonomy.document import load_taxonomy
    from onelook.prompts.taxonomy.model import Taxonomy
    from onelook.quick import tag
    from onelook.result import TagResult
    from onelook.settings.process import Settings, load_settings
    from onelook.tagger import Tagger
    from onelook.types import Context, Tag

    __version__: str

__all__ = [
    "BatchError",
    "Context",
    "DeadlinePassed",
    "DiskFull",
    "EngineError",
    "EngineFailed",
    "EngineIncapable",
    "EngineOverloaded",
    "EngineRefused",
    "EngineTimeout",
    "EngineUnavailable",
    "ExperimentError",
    "ImageError",
    "ImageNotFound",
    "ImageRefused",
    "ImageTooLarge",
    "ImageUnreachable",
    "ImageUnreadable",
    "LabelsError",
    "LedgerDamaged",
    "MetadataError",
    "OnelookError",
    "PromptError",
    "ReplyError",
    "ReplyInvalid",
    "ReplyTruncated",
    "Settings",
    "SettingsError",
    "TableError",
    "Tag",
    "TagResult",
    "Tagger",
    "Taxonomy",
    "TaxonomyError",
    "UserError",
    "__version__",
    "load_settings",
    "load_taxonomy",
    "tag",
    "to_dataframe",
]

_MODULES = {
    "Context": "onelook.types",
    "Settings": "onelook.settings.process",
    "Tag": "onelook.types",
    "TagResult": "onelook.result",
    "Tagger": "onelook.tagger",
    "Taxonomy": "onelook.prompts.taxonomy.model",
    "load_settings": "onelook.settings.process",
    "load_taxonomy": "onelook.prompts.taxonomy.document",
    "tag": "onelook.quick",
    "to_dataframe": "onelook.dataframe",
}
"""Where each name is defined; the errors, which are not listed here, are in `onelook.errors`."""

for _link in ("graph", "nodes", "prompts"):
    if (Path(__file__).parent / _link).is_file():
        raise ImportError(
            f"onelook/{_link} is a text file, but must be a symbolic link to the folder {_link}/: the checkout was made"
            " without symbolic links. Run `git config core.symlinks true`, then `git checkout -- onelook` (Windows:"
            " switch on Developer Mode first), or install a wheel of onelook instead"
        )


if not TYPE_CHECKING:  # a type checker would take it that every name exists

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module 'onelook' has no attribute {name!r}")
        home = _MODULES.get(name, "onelook.errors")
        value = _version() if name == "__version__" else getattr(import_module(home), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("onelook")
    except PackageNotFoundError:  # a checkout on the path that was never installed
        return "unknown"
