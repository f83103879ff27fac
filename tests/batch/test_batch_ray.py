"""Ray Data on this machine: real Ray, two actors, one of which is killed in the middle of its work."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
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


async def test_a_changed_file_is_asked_about_again_and_copies_point_to_the_first(tmp_path: Path) -> None:
    """A touched file is not. What is in the list no more is not counted as if it were."""
    paths = paint(tmp_path / "in", 5)
    shutil.copy(paths[0], tmp_path / "in" / "copy.jpg")
    words: list[str | Path] = ["--out", tmp_path / "out", "--runner", "ray"]
    async with SimulatedServer(model := Model()) as server:
        code, _, shown = await onelook(server, tmp_path / "in", *words)
        assert shown.splitlines() == ["6 pictures in the list", shown.splitlines()[-1]], "no line of Ray's"
        assert (code, "0 ok, 6 to review, 0 failed; 6 have an answer" in shown) == (0, True)
        duplicates = {Path(row["path"]).name: row["duplicate_of"] for row in answers(tmp_path / "out")}
        assert duplicates == {**dict.fromkeys(each.name for each in paths), "copy.jpg": str(paths[0])}

        asked = model.asked.total()
        paths[1].touch()
        paint(tmp_path / "other", 1, first=77)[0].replace(paths[2])
        paths[3].rename(tmp_path / "other" / "away.jpg")
        code, _, shown = await onelook(server, tmp_path / "in", *words)
        assert model.asked.total() == asked + 1
        assert "5 pictures in the list\n" in shown
        assert f"0 ok, 5 to review, 0 failed; 5 have an answer: {tmp_path / 'out'}/" in shown
        assert "(with 1 of earlier lists)" in shown
        by_path = {row["path"]: row for row in answers(tmp_path / "out")}
        assert by_path[str(paths[2])]["sha256"] == sha256(paths[2].read_bytes()).hexdigest()
        assert len(by_path) == len(answers(tmp_path / "out")) == 6


async def test_what_ray_does_not_heed_is_refused(tmp_path: Path) -> None:
    paint(tmp_path / "in", 1)
    for option, value in (("--max-failures", "5"), ("--prompt-price", "1")):
        code, _, shown = await onelook(
            None, tmp_path / "in", "--out", tmp_path / "out", "--runner", "ray", option, value
        )
        assert (code, f"{option} has no effect with --runner ray" in " ".join(shown.split())) == (2, True)
