"""The pictures of an experiment: an album with labels, or a folder of pictures without."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from PIL import ExifTags, Image

from onelook.errors import ExperimentError, UserError
from onelook.images.walk import find_pictures
from onelook.lab.album import LABELS, category_folders, has_labels, labels_file, read_album
from onelook.lab.experiment.design import DesignPicture
from onelook.lab.label_columns import LabelOptions
from onelook.lab.labelled import Album
from onelook.prompts.taxonomy.model import Taxonomy
from onelook.types import Answer

CLUSTERS = "none, album (the first folder below the album's), folder, day (of the camera), or column:NAME of the labels"


@dataclass(frozen=True, slots=True)
class Pictures:
    """`paths[i]` is the file of `pictures[i]`. `notes`: what the report must say about them."""

    pictures: tuple[DesignPicture, ...]
    paths: tuple[Path, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """`truth`: None without labels; `cells`: of its row in the labels, by column."""

    path: Path
    truth: Answer | None = None
    cells: Mapping[str, str] = field(default_factory=dict)


def read_pictures(
    album: Path,
    taxonomies: Sequence[tuple[str, Taxonomy]],
    *,
    cluster: str,
    limit: int | None,
    labelled: bool,
    labels: LabelOptions,
) -> Pictures:
    """The pictures of `album`, their labels and clusters. `taxonomies`: of each arm, by its name.

    `labelled`: whether accuracy is measured, so that labels are needed; `labels`: how they are read.

    Raises:
        ExperimentError: there are no labels where they are needed, the arms have different taxonomies, or the clusters
            say nothing.
        UserError: a label is wrong; the message has its line.
    """
    if labelled and labels_file(album) is None and not category_folders(album):
        raise ExperimentError(
            f"{album} has no labels, and accuracy is the primary metric",
            hint=f"write a {LABELS} beside the pictures (docs/experiments.md shows one), or use --primary latency",
        )
    notes: list[str] = []
    if labelled or has_labels(album, taxonomies[0][1]):
        found = _labelled(album, taxonomies, labels)
        entries = [Entry(each.path, each.truth, each.cells) for each in found.pictures]
        notes += found.notes
    else:
        entries = [Entry(Path(name)) for name in find_pictures([str(album)]).pictures]
    entries = entries[:limit]
    if not entries:
        raise ExperimentError(f"{album} has no picture", hint="name a folder with pictures")
    folder = labels.pictures or (album if album.is_dir() else album.parent)
    clusters = clusters_of(cluster, folder, entries)
    pictures = tuple(
        DesignPicture(name=_name(each.path, folder), sha256=_digest(each.path), truth=each.truth, cluster=group)
        for each, group in zip(entries, clusters, strict=True)
    )
    same = [name for name, count in Counter(each.sha256 for each in pictures).items() if count > 1]
    if same:
        notes.append(f"{len(same)} pictures are in the album more than once, with the same bytes")
    return Pictures(pictures, tuple(each.path for each in entries), tuple(notes))


def clusters_of(cluster: str, folder: Path, entries: Sequence[Entry]) -> list[str | None]:
    """The cluster of each picture.

    Raises:
        ExperimentError: there is no such way to make clusters, or it makes a single one, or one for each picture.
    """
    if cluster == "none":
        return [None] * len(entries)
    if cluster.startswith("column:"):
        found = _column(cluster.removeprefix("column:"), entries)
    elif cluster == "day":
        found = [_day(each.path) for each in entries]
    elif cluster in ("album", "folder"):
        found = [_folder(each.path, folder, first=cluster == "album") for each in entries]
    else:
        raise ExperimentError(f"--cluster {cluster}: expected {CLUSTERS}")
    count = len(set(found))
    if count == 1:
        raise ExperimentError(
            f"--cluster {cluster}: all {len(entries)} pictures are in one cluster, {found[0]}, so nothing can be said"
            " about differences between clusters",
            hint="choose another --cluster, or none",
        )
    if count == len(entries):
        raise ExperimentError(
            f"--cluster {cluster}: each of the {count} pictures is a cluster of its own",
            hint="--cluster none is the same, and says so",
        )
    return list(found)


def _labelled(album: Path, taxonomies: Sequence[tuple[str, Taxonomy]], labels: LabelOptions) -> Album:
    (first, taxonomy), *others = taxonomies
    found = read_album(album, taxonomy, labels)
    for name, other in others:
        if other == taxonomy:
            continue
        try:
            again = read_album(album, other, labels)
            same = [each.truth for each in found.pictures] == [each.truth for each in again.pictures]
            problem = "reads them as other ids"
        except UserError as error:
            same, problem = False, error.message
        if not same:
            raise ExperimentError(
                f"the labels are of the taxonomy of arm {first}, not of that of arm {name}: {problem}",
                hint="arms of one experiment need taxonomies with the same ids; labels and languages may differ",
            )
    return found


def _name(path: Path, folder: Path) -> str:
    path, folder = path.absolute(), folder.absolute()
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else os.path.relpath(path, folder)


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def _folder(path: Path, folder: Path, *, first: bool) -> str:
    parts = Path(_name(path, folder)).parts[:-1]
    return "/".join(parts[:1] if first else parts) or "."


def _day(path: Path) -> str:
    """The day on which the camera took it; else its own cluster, because nothing ties it to others."""
    try:
        with Image.open(path) as image:
            exif = image.getexif()
            taken = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal) or exif.get(
                ExifTags.Base.DateTime
            )
    except Exception:  # noqa: BLE001 - a broken picture is an outcome of the run, not the end of it
        taken = None
    return str(taken)[:10].replace(":", "-") if taken else path.name


def _column(column: str, entries: Sequence[Entry]) -> list[str]:
    """The value of `column` for each picture, from its row of the labels."""
    missing = [each.path.name for each in entries if column not in each.cells]
    if missing:
        known = list(dict.fromkeys(name for each in entries for name in each.cells))
        raise ExperimentError(
            f"--cluster column:{column}: {len(missing)} pictures have no {column} in the labels, first {missing[0]}",
            hint=f"fill it in for each picture, or choose another --cluster; columns of the labels: {', '.join(known)}",
        )
    return [each.cells[column] for each in entries]
