"""The switch of models that can think before they answer: a variable of their chat template."""

from __future__ import annotations

VARIABLE = "enable_thinking"


def thinking_variable(template: str | dict[str, str] | None, thinking: bool) -> dict[str, bool]:
    """The template's switch; nothing where it has none. A checkpoint may have several templates under names."""
    texts = template.values() if isinstance(template, dict) else [template or ""]
    return {VARIABLE: thinking} if any(VARIABLE in text for text in texts) else {}
