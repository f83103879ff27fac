"""The pictures of an experiment: an album with labels, or a folder of pictures without."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from PIL import ExifTags, Image

from onelook.errors import ExperimentError, UserError
from onelook.images.walk import find_pictures
from onelook.lab.album import LABELS
from onelook.lab.experiment.design import DesignPicture
from onelook.lab.labels import read_labelled
from onelook.prompts.taxonomy.model import Taxonomy
from onelook.types import Answer

CLUSTERS = "none, album (the first folder below the album's), folder, day (of the camera), or column:NAME of the labels"


@dataclass(frozen=True, slots=True)
class Pictures:
    """`paths[i]` is the file of `pictures[i]`. `notes`: what the report must say about them."""

    pictures: tuple[DesignPicture, ...]
    paths: tuple[Path, ...]
    notes: tuple[str, ...] = ()


def read_pictures(
    album: Path, taxonomies: Sequence[tuple[str, Taxonomy]], *, cluster: str, limit: int | None, labelled: bool
) -> Pictures:
    """The pictures of `album`, their labels and clusters. `taxonomies`: of each arm, by its name.

    `labelled`: whether accuracy is measured, so that labels are needed.

    Raises:
        ExperimentError: there are no labels where they are needed, the arms have different taxonomies, or the clusters
            say nothing.
        UserError: a label is wrong; the message has its line.
    """
    if has_labels(album):
        entries = _labelled(album, taxonomies)
    elif labelled:
        raise ExperimentError(
            f"{album} has no labels, and accuracy is the primary metric",
            hint=f"write a {LABELS} beside the pictures (docs/experiments.md shows one), or use --primary latency",
        )
    else:
        entries = [(Path(name), None) for name in find_pictures([str(album)]).pictures]
    entries = entries[:limit]
    if not entries:
        raise ExperimentError(f"{album} has no picture", hint="name a folder with pictures")
    folder = album if album.is_dir() else album.parent
    clusters = clusters_of(cluster, folder, [path for path, _ in entries])
    pictures = tuple(
        DesignPicture(name=_name(path, folder), sha256=_digest(path), truth=truth, cluster=group)
        for (path, truth), group in zip(entries, clusters, strict=True)
    )
    same = [name for name, count in Counter(each.sha256 for each in pictures).items() if count > 1]
    notes = (f"{len(same)} pictures are in the album more than once, with the same bytes",) if same else ()
    return Pictures(pictures, tuple(path for path, _ in entries), notes)


def has_labels(album: Path) -> bool:
    return album.is_file() or (album / LABELS).is_file()


def clusters_of(cluster: str, folder: Path, paths: Sequence[Path]) -> list[str | None]:
    """The cluster of each picture.

    Raises:
        ExperimentError: there is no such way to make clusters, or it makes a single one, or one for each picture.
    """
    if cluster == "none":
        return [None] * len(paths)
    if cluster.startswith("column:"):
        found = _column(folder / LABELS, cluster.removeprefix("column:"), paths)
    elif cluster == "day":
        found = [_day(path) for path in paths]
    elif cluster in ("album", "folder"):
        found = [_folder(path, folder, first=cluster == "album") for path in paths]
    else:
        raise ExperimentError(f"--cluster {cluster}: expected {CLUSTERS}")
    count = len(set(found))
    if count == 1:
        raise ExperimentError(
            f"--cluster {cluster}: all {len(paths)} pictures are in one cluster, {found[0]}, so nothing can be said"
            " about differences between clusters",
            hint="choose another --cluster, or none",
        )
    if count == len(paths):
        raise ExperimentError(
            f"--cluster {cluster}: each of the {count} pictures is a cluster of its own",
            hint="--cluster none is the same, and says so",
        )
    return list(found)


def _labelled(album: Path, taxonomies: Sequence[tuple[str, Taxonomy]]) -> list[tuple[Path, Answer | None]]:
    (first, taxonomy), *others = taxonomies
    entries = [(each.path, each.truth) for each in read_labelled(album, taxonomy)]
    for name, other in others:
        if other == taxonomy:
            continue
        try:
            same = entries == [(each.path, each.truth) for each in read_labelled(album, other)]
            problem = "reads them as other ids"
        except UserError as error:
            same, problem = False, error.message
        if not same:
            raise ExperimentError(
                f"the labels are of the taxonomy of arm {first}, not of that of arm {name}: {problem}",
                hint="arms of one experiment need taxonomies with the same ids; labels and languages may differ",
            )
    return [*entries]


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


def _column(labels: Path, column: str, paths: Sequence[Path]) -> list[str]:
    """The value of `column` for each picture, from the lines of the labels."""
    by_file: dict[str, str] = {}
    for line in labels.read_text(encoding="utf-8").splitlines() if labels.is_file() else []:
        row = json.loads(line) if line.strip() else {}
        if column in row:
            by_file[str((labels.parent / str(row.get("file"))).absolute())] = str(row[column])
    missing = [path.name for path in paths if str(path.absolute()) not in by_file]
    if missing:
        raise ExperimentError(
            f"--cluster column:{column}: {len(missing)} pictures have no {column} in {labels}, first {missing[0]}",
            hint="write it into each line, or choose another --cluster",
        )
    return [by_file[str(path.absolute())] for path in paths]
