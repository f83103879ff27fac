"""Tags into the metadata of pictures, one after another: each has its own outcome, and its own error."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from dataclasses import replace as with_
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

from onelook.batch.xmp import files
from onelook.batch.xmp.embedded import Embedded, read_embedded
from onelook.batch.xmp.exiftool import ExifTool, path_argument
from onelook.batch.xmp.keywords import KeywordChoices, PictureTags, picture_tags
from onelook.batch.xmp.merge import Wish, difference, holds_nothing, merge
from onelook.batch.xmp.packet import parse
from onelook.batch.xmp.sidecars import Sidecar, SidecarName, is_raw, recorded_name, sidecar_of
from onelook.batch.xmp.theirs import Entries, joined, theirs
from onelook.errors import MetadataError
from onelook.images.printable import printable
from onelook.images.walk import is_backup
from onelook.prompts.taxonomy.model import Taxonomy
from onelook.result import TagResult

ATTEMPTS: Final = 3

What = Literal["new", "changed", "unchanged", "removed", "nothing", "unanswered", "backup", "refused"]
"""`new`: a sidecar that was not there. `removed`: one of ours that held nothing else. `nothing`: no sure tag, and none
of ours there. `unanswered`: the run failed on the picture, or has not come to it. `backup`: the picture is ExifTool's
`photo.jpg_original`, which stays as it was. `refused`: the file is as it was."""


@dataclass(frozen=True, slots=True)
class WriteChoices:
    """`embed`: into the picture, through ExifTool, which keeps `photo.jpg_original`; raw files have a sidecar all the
    same. `remove`: take away what is ours. `dry_run`: write nothing."""

    keywords: KeywordChoices = field(default_factory=KeywordChoices)
    sidecar_name: SidecarName | None = None
    embed: bool = False
    remove: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """`file`: the sidecar, or the picture. `other`: a sidecar of the other name that is there as well. `unasked`: the
    sidecar has the other name, because it was there. `unread`: nothing could look for keywords in the picture. `added`
    and `taken`: of a dry run, the keywords that would come and go."""

    picture: Path
    what: What
    file: Path
    error: MetadataError | None = None
    other: Path | None = None
    unasked: bool = False
    unread: bool = False
    added: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()


@dataclass(slots=True)
class Writer:
    """Writes one picture after another; a context manager, because ExifTool stays open. Not for several threads.

    Raises:
        SettingsError: the taxonomy has no labels in a wanted language, or the root is no plain word.
        MetadataError: `embed` is wanted, and ExifTool is not installed.
    """

    taxonomy: Taxonomy
    choices: WriteChoices = field(default_factory=WriteChoices)
    exiftool: ExifTool | None = field(default_factory=ExifTool.find)
    _cleaned: set[Path] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.choices.keywords.check(self.taxonomy)
        if self.choices.embed and self.exiftool is None:
            raise MetadataError(
                "--embed needs ExifTool, which is not on the PATH",
                hint="install it (https://exiftool.org; Debian: libimage-exiftool-perl), or leave --embed out",
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.exiftool is not None:
            self.exiftool.close()

    def write(self, picture: Path, result: TagResult | None) -> list[Outcome]:
        """What was done for this picture: one outcome, or one a file where tags are removed from several."""
        try:
            return self._written(picture, result)
        except OSError as error:  # a name that no file can have
            refused = MetadataError(f"it has no sidecar: {error.strerror or error}", hint="give it a shorter name")
            return [Outcome(picture, "refused", picture, refused)]

    def _written(self, picture: Path, result: TagResult | None) -> list[Outcome]:
        if self.choices.remove:
            return self._remove(picture)
        if is_backup(picture):
            return [Outcome(picture, "backup", picture)]
        if result is None or result.status == "failed":
            return [Outcome(picture, "unanswered", picture)]
        sidecar = sidecar_of(picture, self.choices.sidecar_name)
        tags = picture_tags(recorded_name(picture), result, self.taxonomy, self.choices.keywords)
        return [self._reported(picture, sidecar, tags, embed=self.choices.embed and not is_raw(picture))]

    def _remove(self, picture: Path) -> list[Outcome]:
        """From every place that may have tags of ours."""
        chosen = sidecar_of(picture, "photo.jpg.xmp")
        places = [Sidecar(each) for each in (chosen.path, chosen.other) if each is not None and each.exists()]
        outcomes = [self._reported(picture, each, None, embed=False) for each in places]
        if self.choices.embed and not is_raw(picture) and not is_backup(picture):
            outcomes.append(self._reported(picture, chosen, None, embed=True))
        return outcomes or [Outcome(picture, "nothing", picture)]

    def _reported(self, picture: Path, sidecar: Sidecar, tags: PictureTags | None, *, embed: bool) -> Outcome:
        outcome = Outcome(
            picture,
            "refused",
            picture if embed else sidecar.path,
            other=None if embed else sidecar.other,
            unasked=sidecar.unasked and not embed,
        )
        try:
            if not self.choices.remove and not picture.is_file():
                raise MetadataError("the picture is not there any more")
            inside = Embedded()
            if embed or tags is not None:
                inside = read_embedded(picture, self.exiftool)
            if embed:
                return self._embed(outcome, tags, inside)
            self._remove_left_over(sidecar.path.parent)
            return self._write_sidecar(with_(outcome, unread=not inside.read), sidecar, tags, inside.lists)
        except MetadataError as error:
            return with_(outcome, error=error)

    def _write_sidecar(self, outcome: Outcome, sidecar: Sidecar, tags: PictureTags | None, inside: Entries) -> Outcome:
        picture = outcome.picture
        others = [inside]
        if sidecar.other is not None and tags is not None:
            others.append(_theirs_in(sidecar.other))
        wish = Wish(
            recorded_name(picture), tags, joined(others), sidecar.keeps(picture), _sidecar_for(picture, sidecar.path)
        )
        for _ in range(ATTEMPTS):
            before = files.read(sidecar.path)
            after = merge(before.data, wish)
            if after is None:
                return with_(outcome, what="unchanged" if tags is not None else "nothing")
            empty = tags is None and holds_nothing(after)
            try:
                if self.choices.dry_run:
                    files.check_writable(before.status)
                elif empty:
                    files.remove(sidecar.path, before)
                else:
                    files.replace(sidecar.path, after, before)
            except files.Changed:
                continue
            what: What = "new" if before.data is None else "removed" if empty else "changed"
            return self._changed(outcome, what, before.data, after)
        raise MetadataError("another program keeps writing it", hint="close it, and start again")

    def _embed(self, outcome: Outcome, tags: PictureTags | None, inside: Embedded) -> Outcome:
        picture = outcome.picture
        if self.exiftool is None:
            raise AssertionError("checked when it was made")
        files.check_link(picture)
        files.check_writable(picture.stat())
        if inside.extended:
            raise MetadataError(
                "its XMP is spread over several segments, which cannot be replaced whole",
                hint="leave --embed out: a sidecar is written then",
            )
        packet = self.exiftool.run("-b", "-XMP", path_argument(picture))[0] or None  # its bytes; JSON holds texts
        wish = Wish(recorded_name(picture), tags, inside.lists)
        after = merge(packet, wish)
        if after is None:
            return with_(outcome, what="unchanged" if tags is not None else "nothing")
        if self.choices.dry_run:
            return self._changed(outcome, "changed", packet, after)
        with tempfile.TemporaryDirectory() as folder:
            block = Path(folder) / "packet.xmp"
            block.write_bytes(after)
            source = "-XMP=" if tags is None and holds_nothing(after) else f"-XMP<={block}"
            _, said = self.exiftool.run(source, path_argument(picture))
        written, _ = self.exiftool.run("-b", "-XMP", path_argument(picture))
        if merge(written or None, wish) is not None:  # not the same bytes: in a PNG, ExifTool marks XMP as read-only
            raise MetadataError(f"ExifTool did not write it: {said or 'no reason given'}")
        return self._changed(outcome, "changed", packet, after)

    def _changed(self, outcome: Outcome, what: What, before: bytes | None, after: bytes) -> Outcome:
        added, taken = difference(before, after) if self.choices.dry_run else ((), ())
        return with_(outcome, what=what, added=added, taken=taken)

    def _remove_left_over(self, folder: Path) -> None:
        if folder not in self._cleaned and not self.choices.dry_run:
            self._cleaned.add(folder)
            files.remove_left_over(folder)


def _theirs_in(sidecar: Path) -> Entries:
    try:
        data = files.read(sidecar).data
        return {} if data is None else theirs(parse(data))
    except MetadataError as error:
        raise MetadataError(
            f"the keywords in {printable(sidecar.name)} belong into it too, and {error.message}", hint=error.hint
        ) from None


def _sidecar_for(picture: Path, sidecar: Path) -> str | None:
    """Lightroom's mark in `photo.xmp`: whose sidecar it is."""
    shared = sidecar.stem == picture.stem
    return picture.suffix.removeprefix(".").upper() if shared and is_raw(picture) else None
