"""Ray Data on this machine: real Ray, two actors, one of which is killed in the middle of its work."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
from pyarrow import parquet

from tests.batch.pictures import paint
from tests.batch.test_batch_terminal import Model, onelook, started, until
from tests.engines.openai_simulation import SimulatedServer
from tests.patience import HANG_S

PICTURES = 200


def answers(out: Path) -> list[dict[str, Any]]:
    (folder,) = (each for each in out.iterdir() if each.is_dir() and each.name not in ("pictures", "checkpoint"))
    return list(parquet.read_table(folder).to_pylist())


def actors(process: int) -> list[psutil.Process]:
    below = psutil.Process(process).children(recursive=True)
    return [each for each in below if "MapWorker" in " ".join(each.cmdline())]


@asynccontextmanager
async def killed_actor(process: int, model: Model) -> AsyncIterator[None]:
    """One actor is killed once questions have come."""
    await until(10, model)
    async with asyncio.timeout(HANG_S):
        while not (found := actors(process)):  # noqa: ASYNC110 - a process of another program
            await asyncio.sleep(0.05)
    found[0].kill()
    yield


async def test_an_actor_that_dies_loses_no_picture(tmp_path: Path) -> None:
    """A broken picture, and one that is there twice, are rows as well. Then: a rerun, with a new picture."""
    paths = paint(tmp_path / "in", PICTURES)
    paths[7].write_bytes(b"\xff\xd8\xff\xe0 no picture")
    shutil.copy(paths[0], tmp_path / "in" / "copy.jpg")
    manifest = tmp_path / "list.csv"
    manifest.write_text("id,path\n" + "".join(f"{each.stem},{each}\n" for each in (tmp_path / "in").iterdir()))
    words: list[str | Path] = ["--out", tmp_path / "out", "--runner", "ray", "--actors", "2"]
    async with SimulatedServer(model := Model()) as server:
        process = await started(server, manifest, *words)
        async with killed_actor(process.pid, model):
            _, shown = await process.communicate()
        assert process.returncode == 1, shown.decode()[-3000:]
        assert f"0 ok, {PICTURES} to review, 1 failed" in " ".join(shown.decode().split())
        rows = answers(tmp_path / "out")
        assert sorted(row["id"] for row in rows) == sorted([each.stem for each in paths] + ["copy"])
        (failed,) = (row for row in rows if row["status"] == "failed")
        assert failed["id"] == "007"
        assert failed["errors"][0].startswith("ImageUnreadable: ")
        assert {row["category"] for row in rows if row["status"] != "failed"} == {"building"}

        asked = model.asked.total()
        paint(tmp_path / "in", 1, first=900)
        with manifest.open("a") as file:
            file.write(f"900,{tmp_path / 'in' / '900.jpg'}\n")
        code, _, shown_again = await onelook(server, manifest, *words)
        assert code == 1, shown_again[-3000:]
        assert not re.search(r"INFO|WARN|Dataset|ray-data", shown_again)  # Ray's own lines are in its own files
        assert model.asked.total() == asked + 1
        assert len(answers(tmp_path / "out")) == PICTURES + 2
