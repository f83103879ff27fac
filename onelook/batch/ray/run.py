"""A run with Ray Data: what is in the list and not in the answers is tagged and added to them."""

from __future__ import annotations

import itertools
import logging
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from onelook.batch.entries import Listed, State
from onelook.batch.fingerprint import Fingerprint
from onelook.batch.ray.quiet import native_lines_away, quiet
from onelook.errors import BatchError
from onelook.settings.process import Settings
from onelook.types import Context

PICTURES, CHECKPOINT, LIST = "pictures", "checkpoint", "list.parquet"
LIST_COLUMNS: Final = ("id", "place", "size", "mtime_ns")
Row = tuple[str, bytes, int | None, int | None]
"""Of the list, as `LIST_COLUMNS`."""

ROWS_AT_ONCE: Final = 65_536
ROWS_OF_A_TASK: Final = 64
"""What is lost when an actor dies, and the least that Ray hands to one."""

JOIN_PARTITIONS: Final = 16


@dataclass(frozen=True, slots=True)
class RayRun:
    """`folder`: of the batch, on a disk that all machines see. `actors`: how many tag at the same time. `address`: of
    a cluster; None: Ray starts on this machine, or uses the one that RAY_ADDRESS names."""

    folder: Path
    settings: Settings
    context: Context | None
    made: Fingerprint
    actors: int = 1
    address: str | None = None
    again: Sequence[State] = ("may_pass",)
    limit: int | None = None

    @property
    def answers(self) -> Path:
        return self.folder / self.made.digest

    @property
    def _checkpoint(self) -> Path:
        return self.folder.absolute() / CHECKPOINT / self.made.digest

    def list(self, pictures: Iterable[Listed]) -> int:
        """Write the list of pictures anew; how many there are.

        Raises:
            BatchError: two pictures have one id.
        """
        return write_list(self.folder / PICTURES, pictures)

    def run(self) -> Counter[str]:
        """Tag what has no answer; the pictures of the list by status, `todo` without an answer, and as `others` the
        answers of earlier lists.

        Raises:
            BatchError: Ray is not installed, or does not start.
        """
        ray = _ray()
        from onelook.batch.ray.answers import drop_to_retry
        from onelook.batch.ray.compare import count_answers, drop_changed, mark_duplicates, read_list

        self.answers.mkdir(parents=True, exist_ok=True)
        listed = read_list(self.folder / PICTURES / LIST)
        if drop_to_retry(self.answers, tuple(self.again)) + drop_changed(self.answers, listed):
            shutil.rmtree(self._checkpoint, ignore_errors=True)  # it counts what was dropped as done
        try:
            with native_lines_away():
                self._start(ray)
                self._tag(ray)
        except ray.exceptions.RayError as error:
            reason = next((line for line in reversed(str(error).splitlines()) if line.strip()), type(error).__name__)
            raise BatchError(
                f"Ray ended the run: {reason}",
                hint="what is done is kept: start it again; Ray's own logs are in /tmp/ray/session_latest/logs",
            ) from error
        mark_duplicates(self.answers, listed)
        return count_answers(self.answers, listed)

    def _start(self, ray: Any) -> None:
        quiet(ray)
        if ray.is_initialized():
            return
        try:
            ray.init(address=self.address, log_to_driver=False, include_dashboard=False, logging_level=logging.ERROR)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise BatchError(
                f"Ray does not start: {error}", hint="--ray-address names a cluster; without it Ray starts here"
            ) from None

    def _tag(self, ray: Any) -> None:
        from ray.data.checkpoint import CheckpointConfig

        from onelook.batch.ray.actor import TagRows
        from onelook.batch.ray.answers import answer_files

        context = ray.data.DataContext.get_current()
        context.checkpoint_config = CheckpointConfig(id_column="id", checkpoint_path=str(self._checkpoint))
        pictures = ray.data.read_parquet(str(self.folder.absolute() / PICTURES), columns=list(LIST_COLUMNS))
        if files := [str(each) for each in answer_files(self.answers)]:
            done = ray.data.read_parquet(files, columns=["id"])
            pictures = pictures.join(done, join_type="left_anti", on=("id",), num_partitions=JOIN_PARTITIONS)
        if self.limit is not None:
            pictures = pictures.limit(self.limit)
        # Blocks as small as a task, or one actor would get them all.
        pictures.repartition(target_num_rows_per_block=ROWS_OF_A_TASK).map_batches(
            TagRows,
            fn_constructor_args=(self.settings, self.context),
            batch_size=ROWS_OF_A_TASK,
            batch_format="pyarrow",
            compute=ray.data.ActorPoolStrategy(size=self.actors),
            num_cpus=_cpus_of_an_actor(ray, self.actors),
        ).write_parquet(str(self.answers.absolute()))


def _cpus_of_an_actor(ray: Any, actors: int) -> float:
    """One, or less where the cluster has fewer: reading and writing need a processor too, or nothing would ever run."""
    left = float(ray.cluster_resources().get("CPU", 1)) - 1
    return min(1.0, max(left, 0.5) / (actors + 1))


def write_list(folder: Path, pictures: Iterable[Listed]) -> int:
    """A Parquet file of `id` (that of a manifest, or else the place as text), `place` (bytes), and size and date of the
    file."""
    import pyarrow
    from pyarrow import parquet

    types = (pyarrow.string(), pyarrow.binary(), pyarrow.int64(), pyarrow.int64())
    schema = pyarrow.schema(list(zip(LIST_COLUMNS, types, strict=True)))
    folder.mkdir(parents=True, exist_ok=True)
    new = folder / ".list.parquet"
    total = 0
    with parquet.ParquetWriter(new, schema, compression="zstd") as writer:
        for rows in _chunks(_unique(pictures)):
            columns = zip(*rows, strict=True)
            writer.write_table(pyarrow.table([list(each) for each in columns], schema=schema))
            total += len(rows)
    new.replace(folder / LIST)
    return total


def _chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while chunk := list(itertools.islice(rows, ROWS_AT_ONCE)):
        yield chunk


def _unique(pictures: Iterable[Listed]) -> Iterator[Row]:
    seen: dict[str, bytes] = {}
    for each in pictures:
        id_ = each.name or os.fsencode(each.place).decode(errors="backslashreplace")
        earlier = seen.setdefault(id_, each.place)
        if earlier is each.place:
            yield id_, each.place, each.size, each.mtime_ns
        elif earlier != each.place:
            raise BatchError(
                f"two pictures have the id {id_!r}", hint="give each its own id, or name another --id-column"
            )


def _ray() -> Any:
    try:
        import ray
        import ray.data
    except ImportError:
        raise BatchError(
            "--runner ray needs the package ray, which is not installed", hint="pip install 'onelook[ray]'"
        ) from None
    return ray
