"""`onelook taxonomy check`: each arm, whether the taxonomy fits it, and what it takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from onelook.answering.arm_needs import ArmNeeds, all_needs
from onelook.engines.checks.questions import blank_picture
from onelook.engines.context_length import PromptTokens
from onelook.errors import EngineIncapable, OnelookError, SettingsError
from onelook.graph.arms import ARMS
from onelook.prompts.question import Question
from onelook.prompts.replies.letters import LETTERS, MOST_OPTIONS, groups_needed
from onelook.services import Services
from onelook.settings.hints import set_to
from onelook.settings.process import Settings
from onelook.types import Context

if TYPE_CHECKING:
    from onelook.engines.transformers.local_prompts import LocalPrompts

WIDE = 110  # columns of a terminal in which there is room for the table
COLUMNS = ("arm", "fits", "longest prompt", "answer", "constraint", "letters")
FITS = {True: ("yes", "green"), False: ("no", "red"), None: ("not known", "yellow")}


@dataclass(frozen=True, slots=True)
class ArmRow:
    """`reason`: why it does not fit, and `hint` what to do; None where it fits. `unchecked`: what is not known about
    that on this machine. `tokens`: None without a tokenizer."""

    needs: ArmNeeds
    tokens: PromptTokens | None
    reason: str | None
    hint: str | None
    unchecked: str | None

    @property
    def fits(self) -> bool | None:
        """None where it is not known."""
        if self.reason is not None:
            return False
        return True if self.unchecked is None else None

    @property
    def name(self) -> str:
        context = self.needs.context
        return context.arm + (", compact" if context.reply_format == "compact" else "")


def arm_rows(services: Services, context: Context, local: LocalPrompts | None) -> list[ArmRow]:
    """A row for each arm and format. `local`: the model whose tokens are counted and whose context is the limit."""
    too_long, unchecked = _router_texts(services)
    rows = []
    for needs in all_needs(services, context):
        routed = ARMS[needs.context.arm].routed
        tokens = _tokens(needs, context.long_edge, local)
        reason, hint = _misfit(needs, tokens, local, too_long if routed else None)
        rows.append(ArmRow(needs, tokens, reason, hint, unchecked if routed else None))
    return rows


def as_data(rows: Sequence[ArmRow], local: LocalPrompts | None) -> list[dict[str, Any]]:
    """The rows for programs."""
    return [
        {
            "arm": row.needs.context.arm,
            "reply_format": row.needs.context.reply_format,
            "fits": row.fits,
            "reason": row.reason,
            "hint": row.hint,
            "unchecked": row.unchecked,
            "longest_prompt": None if row.needs.longest is None else _prompt(row.needs.longest, row.tokens),
            "answer_tokens": None if row.needs.longest is None else row.needs.longest.max_tokens,
            "constraint_bytes": row.needs.constraint_bytes,
            "schema_bytes": row.needs.schema_bytes,
            "letters": row.needs.letters,
            "context_length": None if local is None else local.context_length,
        }
        for row in rows
    ]


def show(rows: Sequence[ArmRow], context: Context, local: LocalPrompts | None, no_tokenizer: str) -> None:
    """As a table, with a line for each arm that does not fit. `no_tokenizer`: why tokens are not counted."""
    from rich.table import Table
    from rich.text import Text

    from onelook.cli.console import in_whole_rows, out

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in COLUMNS:
        table.add_column(column, overflow="fold")
    console = in_whole_rows()
    for row in rows:
        fits, cells = Text(*FITS[row.fits]), list(_cells(row))
        table.add_row(row.name, fits, *cells)
        if console.width < WIDE:
            console.print(Text.assemble((row.name, "bold"), ": fits: ", fits))
            for column, cell in zip(COLUMNS[2:], cells, strict=True):
                console.print(Text(f"    {column}: {cell}"))
    if console.width >= WIDE:
        console.print(table)
    for reason in _reasons(rows):
        out.print(Text(reason), soft_wrap=not out.is_terminal)
    notes = [
        *dict.fromkeys(row.unchecked for row in rows if row.unchecked is not None),
        f"in {context.language}, about one picture of {context.long_edge} x {context.long_edge} pixels; answer: tokens,"
        " at most; constraint: bytes, as a regex" + ("" if local is None else "; prompt: text + picture"),
        f"tokens: {local.tokenizer}; its context is {local.context_length:,}" if local is not None else no_tokenizer,
    ]
    for note in notes:
        out.print(Text(note, style="dim"), soft_wrap=not out.is_terminal)


def _tokens(needs: ArmNeeds, long_edge: int, local: LocalPrompts | None) -> PromptTokens | None:
    if local is None or needs.longest is None:
        return None
    side = max(long_edge // local.size_grid, 1) * local.size_grid
    return local.tokens(needs.longest.messages([blank_picture(side)]))


def _misfit(
    needs: ArmNeeds, tokens: PromptTokens | None, local: LocalPrompts | None, too_long: SettingsError | None
) -> tuple[str | None, str | None]:
    """Why no picture can be tagged so, and what to do; None and None where it can."""
    unmet: OnelookError | None = needs.unmet or too_long
    if unmet is not None:
        return unmet.message, unmet.hint
    if local is None or tokens is None or needs.longest is None:
        return None, None
    answer, most = needs.longest.max_tokens, local.context_length
    return (None, None) if tokens.fits(answer, most) else (tokens.misfit(answer, most), tokens.cure(answer, most))


def _router_texts(services: Services) -> tuple[SettingsError | None, str | None]:
    """Why the router that is set cannot read the taxonomy's texts; and why that is not known, if it is not."""
    router, texts = services.settings.router, list(services.routes.values())
    name = router.tokenizer or router.model
    if name is None:
        missing = "no router is named"
    else:
        from onelook.engines.zero_shot.files import read_files

        try:
            read_files(name, elsewhere="").token_ids(texts)
        except SettingsError as error:
            return error, None
        except EngineIncapable as error:
            missing = error.message
        else:
            return None, None
    longest = max(map(len, texts))
    return None, (
        f"hybrid: {missing}, so it is not checked whether it reads the categories' texts (up to {longest} characters):"
        " set ONELOOK_ROUTER__MODEL, or for a server ONELOOK_ROUTER__TOKENIZER"
    )


def _prompt(question: Question, tokens: PromptTokens | None) -> Mapping[str, int]:
    text = (question.system or "") + question.text
    sizes = {"characters": len(text), "bytes": len(text.encode())}
    return sizes if tokens is None else {**sizes, "text_tokens": tokens.text, "picture_tokens": tokens.pictures}


def _cells(row: ArmRow) -> Iterator[str]:
    needs, longest = row.needs, row.needs.longest
    if longest is None:
        yield from ("–", "–")
    else:
        sizes = _prompt(longest, row.tokens)
        if row.tokens is None:
            yield f"{sizes['characters']:,} characters, {sizes['bytes']:,} bytes"
        else:
            yield f"{row.tokens.text:,} + {row.tokens.pictures:,} tokens"
        yield f"{longest.max_tokens:,}"
    if needs.constraint_bytes is None:
        yield "–" if longest is None else "none: free text"
    else:
        schema = "" if needs.schema_bytes is None else f" (JSON Schema: {needs.schema_bytes:,})"
        yield f"{needs.constraint_bytes:,}{schema}"
    yield "–" if needs.letters is None else _letters(needs.letters)


def _letters(options: int) -> str:
    """How many options the choice with the most has, of the letters; or in how many groups it is asked."""
    if options <= len(LETTERS):
        return f"{options} of {len(LETTERS)}"
    return f"{options} in {groups_needed(options)} groups" if options <= MOST_OPTIONS else f"{options}"


def _reasons(rows: Sequence[ArmRow]) -> Iterator[str]:
    """Arms that do not fit for the same reason have one line."""
    names: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row.reason is not None:
            names.setdefault((row.reason, row.hint or ""), []).append(row.name)
    for (reason, hint), arms in names.items():
        yield f"{'; '.join(arms)}: {reason}" + (f"\n  {hint}" if hint else "")


def no_tokenizer(settings: Settings) -> str:
    """Why tokens are not counted where no model is on this machine."""
    if settings.model is None:
        why = "no model is named, so no tokenizer"
    else:
        why = f"{settings.model} has no tokenizer on this machine"
    return f"{why}: prompts are in characters and bytes. Count tokens with {set_to(ONELOOK_MODEL='FOLDER_OR_ID')}"
