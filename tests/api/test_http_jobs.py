"""Jobs: tagged while nobody waits, kept on disk, and not lost with the server."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from PIL import Image

from onelook.api.jobs import runner
from tests.api.conftest import Connect
from tests.api.served import Client, form, served_process
from tests.engines.openai_simulation import Body, SimulatedServer, completion
from tests.graph.replies import BUILDING
from tests.patience import HANG_S
from tests.small_disk import fill, small_disk


class Model:
    """`hold`: it answers once that is set. `asked`: the questions about pictures. `status`: of its answers."""

    def __init__(self) -> None:
        self.hold = asyncio.Event()
        self.hold.set()
        self.asked = 0
        self.status = 200

    async def __call__(self, request: web.Request, asked: Body) -> web.StreamResponse:
        guide = asked.get("structured_outputs", {})
        if "zebra" in str(guide):
            return web.json_response(completion(guide["choice"][0] if "choice" in guide else '{"word":"zebra"}'))
        self.asked += 1
        await self.hold.wait()
        if self.status != 200:
            return web.json_response({"error": {"message": "no key"}}, status=self.status)
        return web.json_response(completion(BUILDING))


def pictures(count: int) -> list[bytes]:
    """Of different bytes."""
    made = []
    for number in range(count):
        held = io.BytesIO()
        Image.new("RGB", (280, 224), "teal").save(held, "JPEG", comment=str(number))
        made.append(held.getvalue())
    return made


async def ended(client: Client, id_: str) -> Any:
    async with asyncio.timeout(HANG_S):
        while (status := (await client.get(f"/v1/jobs/{id_}")).json)["ended"] is None:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return status


async def until_asked(model: Model, count: int) -> None:
    async with asyncio.timeout(HANG_S):
        while model.asked < count:  # noqa: ASYNC110 - it changes with each request
            await asyncio.sleep(0.01)


async def test_a_job_from_its_request_to_its_results(connect: Connect, tmp_path: Path) -> None:
    one, two = pictures(2)
    async with (
        SimulatedServer(model := Model()) as server,
        connect(server, http={"jobs": tmp_path / "jobs"}) as client,
    ):
        model.hold.clear()
        made = await client.post("/v1/jobs", data=form(one, two, b"no picture", one, arm="fused"))
        assert made.status == 202
        id_ = made.json["id"]
        assert made.headers["Location"] == f"/v1/jobs/{id_}"
        assert (made.json["total"], made.json["pictures"]["to_do"]) == (4, 4)
        assert [each["id"] for each in (await client.get("/v1/jobs")).json] == [id_]
        model.hold.set()
        status = await ended(client, id_)
        assert status["state"] == "finished"
        assert status["pictures"] == {"ok": 0, "needs_review": 3, "failed": 1, "to_do": 0}
        found = await client.get(f"{status['results']}?ledger=false")
        assert found.content_type == "application/x-ndjson"
        lines = found.lines
        assert [(each["index"], each["id"]) for each in lines] == [(n, f"picture-{n}.jpg") for n in range(4)]
        assert lines[3]["progress"] == {"done": 4, "total": 4}
        assert [each["result"]["source"] for each in lines] == [f"picture-{n}.jpg" for n in range(4)]
        assert [each["result"]["status"] for each in lines] == ["needs_review"] * 2 + ["failed", "needs_review"]
        assert str(tmp_path) not in found.body.decode()  # where it is kept is nobody's business
        assert "ledger" not in lines[0]["result"]
        assert model.asked == 2  # the same bytes once
        assert not list(tmp_path.glob("jobs/*/pictures"))  # noqa: ASYNC240 - not needed any more

        gone = await client.delete(f"/v1/jobs/{id_}")
        assert (gone.status, gone.body) == (204, b"")
        (await client.get(f"/v1/jobs/{id_}")).problem(404, kind="NotFound")
        assert (await client.get("/v1/jobs")).json == []


async def test_a_restart_loses_no_job(tmp_path: Path) -> None:
    """The server is killed in the middle of one job, with another one waiting."""
    folder = str(tmp_path / "jobs")
    async with SimulatedServer(model := Model()) as server, aiohttp.ClientSession() as session:
        variables = {"ONELOOK_HTTP__JOBS": folder, "ONELOOK_CONCURRENCY": "2"}
        async with served_process(server.base_url, **variables) as (process, address):
            client = Client(session, address)
            first = (await client.post("/v1/jobs", data=form(*pictures(6), ids=list("abcdef")))).json["id"]
            await until_asked(model, 3)
            model.hold.clear()
            second = (await client.post("/v1/jobs", data=form(*pictures(2)))).json["id"]
            process.kill()
            await process.wait()
        asked = model.asked
        model.hold.set()
        async with served_process(server.base_url, **variables) as (_, address):
            client = Client(session, address)
            for id_, total in ((first, 6), (second, 2)):
                status = await ended(client, id_)
                assert (status["state"], status["pictures"]["needs_review"]) == ("finished", total)
            lines = (await client.get(f"/v1/jobs/{first}/results")).lines
            assert [each["id"] for each in lines] == list("abcdef")
    assert model.asked <= 6 + 2 + 2  # what was in flight is asked again, and nothing else
    assert asked >= 3


async def test_the_same_key_makes_one_job(connect: Connect, tmp_path: Path) -> None:
    one, two = pictures(2)
    async with SimulatedServer(Model()) as server, connect(server, http={"jobs": tmp_path}) as client:
        key = {"Idempotency-Key": "order 66"}
        made = await asyncio.gather(*(client.post("/v1/jobs", data=form(one), headers=key) for _ in range(4)))
        assert {each.status for each in made} == {202}
        assert len({each.json["id"] for each in made}) == 1
        (await client.post("/v1/jobs", data=form(two), headers=key)).problem(409, kind="KeyReused")
        (await client.post("/v1/jobs", data=form(one, arm="reads"), headers=key)).problem(409, kind="KeyReused")
        other = await client.post("/v1/jobs", data=form(one), headers={"Idempotency-Key": "order 67"})
        assert other.json["id"] != made[0].json["id"]


async def test_a_key_that_names_nothing_is_refused(connect: Connect, tmp_path: Path) -> None:
    async with SimulatedServer(Model()) as server, connect(server, http={"jobs": tmp_path}) as client:
        for path in ("/v1/jobs", "/v1/tags/batch"):
            for key, reason in (("", "is empty"), (" ", "is empty"), ("k" * 300, "has 300 characters")):
                answer = await client.post(path, data=form(*pictures(1)), headers={"Idempotency-Key": key})
                assert reason in answer.problem(422, kind="BadField", field="Idempotency-Key")["detail"]
        assert (await client.get("/v1/jobs")).json == []


async def test_a_job_is_cancelled(connect: Connect, tmp_path: Path) -> None:
    async with SimulatedServer(model := Model()) as server:
        settings = {"http": {"jobs": tmp_path}, "concurrency": 2}
        async with connect(server, **settings) as client:
            model.hold.clear()
            id_ = (await client.post("/v1/jobs", data=form(*pictures(8)))).json["id"]
            await until_asked(model, 2)
            (await client.delete(f"/v1/jobs/{id_}")).problem(409, kind="JobNotEnded")
            assert (await client.post(f"/v1/jobs/{id_}/cancel")).status == 200
            await asyncio.sleep(2 * runner.LOOK_EVERY_S)
            model.hold.set()
            status = await ended(client, id_)
            assert status["state"] == "cancelled"
            assert status["pictures"] == {"ok": 0, "needs_review": 2, "failed": 0, "to_do": 6}
            assert len((await client.get(f"/v1/jobs/{id_}/results")).lines) == 2
            again = await client.post(f"/v1/jobs/{id_}/cancel")  # it has ended
            assert (again.status, again.json["state"]) == (200, "cancelled")


async def test_an_engine_that_refuses_everything_fails_the_job(
    connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "REST_S", 0.01)
    monkeypatch.setattr(runner, "MOST_RESTS", 2)
    async with SimulatedServer(model := Model()) as server:
        model.status = 401
        async with connect(server, http={"jobs": tmp_path}, concurrency=1) as client:
            id_ = (await client.post("/v1/jobs", data=form(*pictures(80)))).json["id"]
            status = await ended(client, id_)
    assert status["state"] == "failed"
    assert "no key" in status["reason"]
    assert status["pictures"]["to_do"] > 0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", 600) as folder:
        yield folder


async def until_reason(client: Client, id_: str, words: str) -> Any:
    async with asyncio.timeout(HANG_S):
        while words not in str((status := (await client.get(f"/v1/jobs/{id_}")).json)["reason"]):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return status


async def test_jobs_go_on_after_a_full_disk(connect: Connect, disk: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = {"http": {"jobs": disk / "jobs"}, "concurrency": 1}
    async with SimulatedServer(model := Model()) as server, connect(server, **settings) as client:
        key = {"Idempotency-Key": "order 20"}
        model.hold.clear()
        id_ = (await client.post("/v1/jobs", data=form(*pictures(3)), headers=key)).json["id"]
        await until_asked(model, 1)
        following = asyncio.create_task(client.post("/v1/tags/batch", data=form(*pictures(3)), headers=key))
        ballast = fill(disk)
        model.hold.set()
        status = await until_reason(client, id_, "disk is full")
        assert (status["state"], status["ended"]) == ("running", None)
        async with asyncio.timeout(HANG_S):
            while "jobs wait: " not in caplog.text:  # noqa: ASYNC110 - another task writes it
                await asyncio.sleep(0.05)
        refused = (await client.post("/v1/jobs", data=form(*pictures(1)))).problem(507, kind="DiskFull")
        assert str(disk) not in str(refused)
        asked = model.asked
        await asyncio.sleep(3 * runner.LOOK_EVERY_S)
        assert model.asked == asked, "nothing is asked whose answer could not be kept"
        ballast.unlink()
        status = await ended(client, id_)
        assert (status["state"], status["pictures"]["needs_review"], status["reason"]) == ("finished", 3, None)
        assert [each["index"] for each in (await following).lines] == [0, 1, 2]
        second = (await client.post("/v1/jobs", data=form(*pictures(2)))).json["id"]
        assert (await ended(client, second))["state"] == "finished"


def damage(ledger: Path) -> None:
    """Its pages are random bytes; the first says still that it is SQLite's."""
    size = ledger.stat().st_size
    ledger.with_name(f"{ledger.name}-wal").unlink(missing_ok=True)
    ledger.write_bytes(ledger.read_bytes()[:100] + hashlib.shake_128(b"noise").digest(size - 100))


async def test_a_damaged_job_breaks_no_other(connect: Connect, tmp_path: Path) -> None:
    async with (
        SimulatedServer(Model()) as server,
        connect(server, http={"jobs": tmp_path / "jobs"}) as client,
    ):
        good, bad = [(await client.post("/v1/jobs", data=form(*pictures(2)))).json["id"] for _ in range(2)]
        for id_ in (good, bad):
            await ended(client, id_)
        damage(tmp_path / "jobs" / bad / "ledger.sqlite")
        listed = {each["id"]: each for each in (await client.get("/v1/jobs")).json}
        assert (listed[good]["state"], listed[good]["reason"]) == ("finished", None)
        assert listed[bad]["state"] == "failed"
        assert "damaged" in listed[bad]["reason"]
        assert (await client.get(f"/v1/jobs/{bad}")).json == listed[bad]
        problem = (await client.get(f"/v1/jobs/{bad}/results")).problem(500, kind="JobUnreadable")
        assert str(tmp_path) not in f"{problem} {listed}"
        assert "--out" not in f"{problem} {listed}"
        assert len((await client.get(f"/v1/jobs/{good}/results")).lines) == 2
        assert (await client.delete(f"/v1/jobs/{bad}")).status == 204


async def test_a_job_whose_ledger_is_damaged_while_it_waits_ends_and_the_next_is_run(
    connect: Connect, tmp_path: Path
) -> None:
    async with (
        SimulatedServer(model := Model()) as server,
        connect(server, http={"jobs": tmp_path / "jobs"}, concurrency=1) as client,
    ):
        model.hold.clear()
        first, bad, last = [(await client.post("/v1/jobs", data=form(*pictures(2)))).json["id"] for _ in range(3)]
        await until_asked(model, 1)
        damage(tmp_path / "jobs" / bad / "ledger.sqlite")
        model.hold.set()
        states = [(await ended(client, id_))["state"] for id_ in (first, bad, last)]
    assert states == ["finished", "failed", "finished"]


async def test_too_many_jobs_are_refused(connect: Connect, tmp_path: Path) -> None:
    few = {"jobs": tmp_path, "max_jobs": 2}
    async with SimulatedServer(model := Model()) as server, connect(server, http=few) as client:
        model.hold.clear()
        for number in range(2):
            assert (await client.post("/v1/jobs", data=form(*pictures(number + 1)))).status == 202
        refused = await client.post("/v1/jobs", data=form(*pictures(3)))
        assert "ONELOOK_HTTP__MAX_JOBS" in refused.problem(429, kind="Overloaded")["hint"]
        model.hold.set()


async def test_bad_requests_make_no_job(connect: Connect, tmp_path: Path) -> None:
    async with SimulatedServer(Model()) as server, connect(server, http={"jobs": tmp_path}) as client:
        (await client.post("/v1/jobs", data=form(*pictures(1), arm="magic"))).problem(422, kind="BadField", field="arm")
        (await client.get("/v1/jobs/..%2F..%2Fetc")).problem(404, kind="NotHere")
        (await client.get("/v1/jobs/nosuchjob")).problem(404, kind="NotFound")
        assert (await client.get("/v1/jobs")).json == []


async def test_jobs_are_off_where_no_folder_is_set(connect: Connect) -> None:
    async with SimulatedServer(Model()) as server, connect(server) as client:
        for answer in (await client.post("/v1/jobs", data=form(*pictures(1))), await client.get("/v1/jobs")):
            assert "ONELOOK_HTTP__JOBS=FOLDER" in answer.problem(404, kind="NoJobs")["hint"]


async def test_a_batch_with_a_key_goes_on_where_its_connection_broke(connect: Connect, tmp_path: Path) -> None:
    asked_of = pictures(5)
    key = {"Idempotency-Key": "order 17"}
    async with (
        SimulatedServer(model := Model()) as server,
        connect(server, http={"jobs": tmp_path}, concurrency=2) as client,
    ):
        model.hold.clear()
        broken = asyncio.create_task(client.post("/v1/tags/batch", data=form(*asked_of), headers=key))
        await until_asked(model, 2)
        broken.cancel()
        await asyncio.gather(broken, return_exceptions=True)
        model.hold.set()
        again = await client.post("/v1/tags/batch?ledger=false", data=form(*asked_of), headers=key)
        assert (again.status, again.content_type) == (200, "application/x-ndjson")
        assert sorted(each["id"] for each in again.lines) == [f"picture-{n}.jpg" for n in range(5)]
        assert [each["progress"] for each in again.lines] == [{"done": n, "total": 5} for n in range(1, 6)]
        assert {each["result"]["status"] for each in again.lines} == {"needs_review"}
        assert "ledger" not in again.lines[0]["result"]
        assert model.asked == 5
        once_more = await client.post("/v1/tags/batch", data=form(*asked_of), headers=key)
        assert [each["index"] for each in once_more.lines] == list(range(5))
        assert model.asked == 5
        (await client.post("/v1/tags/batch", data=form(*asked_of[:1]), headers=key)).problem(409, kind="KeyReused")


async def test_a_batch_with_a_key_has_a_line_for_what_a_cancelled_job_left(connect: Connect, tmp_path: Path) -> None:
    async with (
        SimulatedServer(model := Model()) as server,
        connect(server, http={"jobs": tmp_path}, concurrency=1) as client,
    ):
        model.hold.clear()
        key = {"Idempotency-Key": "order 18"}
        following = asyncio.create_task(client.post("/v1/tags/batch", data=form(*pictures(4)), headers=key))
        await until_asked(model, 1)
        (job,) = (await client.get("/v1/jobs")).json
        await client.post(f"/v1/jobs/{job['id']}/cancel")
        await asyncio.sleep(2 * runner.LOOK_EVERY_S)
        model.hold.set()
        lines = (await following).lines
    assert sorted(each["index"] for each in lines) == [0, 1, 2, 3]
    assert "result" in lines[0]
    assert [each["problem"]["kind"] for each in lines[1:]] == ["JobCancelled"] * 3
    assert lines[-1]["progress"] == {"done": 4, "total": 4}


async def test_a_key_is_refused_where_nothing_is_kept(connect: Connect) -> None:
    async with SimulatedServer(Model()) as server, connect(server) as client:
        key = {"Idempotency-Key": "order 19"}
        (await client.post("/v1/tags/batch", data=form(*pictures(1)), headers=key)).problem(404, kind="NoJobs")
