"""API keys, and requests from pages of other origins."""

from __future__ import annotations

from tests.api.conftest import Connect
from tests.api.served import form
from tests.engines.openai_simulation import SimulatedServer, always, completion
from tests.graph.replies import BUILDING

KEY = "correct horse battery staple"


WRONG = ["", "Bearer", "Bearer ", "Bearer wrong", "Bearer ключ"]
WRONG += [f"Bearer {KEY[:-1]}", f"Bearer {KEY}x", f"Basic {KEY}", KEY]
READ = ["/v1/taxonomy", "/v1/options", "/v1/graph", "/v1/samples", "/v1/samples/heldout-0001.jpg", "/metrics"]
OPEN = ["/healthz", "/openapi.json", "/"]


async def test_a_missing_or_wrong_key(connect: Connect, picture: bytes) -> None:
    async with SimulatedServer() as engine, connect(engine, http={"api_key": KEY}) as client:
        for authorization in WRONG:
            headers = {"Authorization": authorization} if authorization else {}
            for path in READ:
                (await client.get(path, headers=headers)).problem(401, kind="BadKey", field="Authorization")
            for path in ("/v1/tags", "/v1/tags/batch", "/v1/compare"):
                answer = await client.post(path, data=form(picture), headers=headers)
                answer.problem(401, kind="BadKey", field="Authorization")
                assert answer.headers["WWW-Authenticate"].startswith("Bearer")
                assert KEY not in str(answer.headers) + answer.body.decode()
            for path in OPEN:
                assert (await client.get(path, headers=headers)).status == 200
        assert [body for body in engine.bodies if "Say hello." not in str(body)] == []


async def test_the_right_key(connect: Connect, picture: bytes) -> None:
    engine = SimulatedServer(always(completion(BUILDING)))
    async with engine, connect(engine, http={"api_key": KEY}) as client:
        for scheme in ("Bearer", "bearer"):
            headers = {"Authorization": f"{scheme} {KEY}"}
            assert (await client.post("/v1/tags", data=form(picture), headers=headers)).status == 200
            assert (await client.get("/metrics", headers=headers)).status == 200


async def test_other_origins_have_no_access_unless_they_are_configured(connect: Connect) -> None:
    origin = {"Origin": "https://example.org"}
    asked = {**origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    async with SimulatedServer() as engine:
        async with connect(engine) as client:
            assert "Access-Control-Allow-Origin" not in (await client.get("/v1/taxonomy", headers=origin)).headers
            assert (await client._ask("OPTIONS", "/v1/tags", headers=asked)).status == 405
        async with connect(engine, http={"cors_origins": ["https://example.org"], "api_key": KEY}) as client:
            preflight = await client._ask("OPTIONS", "/v1/tags", headers=asked)
            assert preflight.status == 200
            assert preflight.headers["Access-Control-Allow-Origin"] == "https://example.org"
            refused = await client.get("/v1/taxonomy", headers=origin)
            assert refused.status == 401
            assert refused.headers["Access-Control-Allow-Origin"] == "https://example.org"
            stranger = await client._ask("OPTIONS", "/v1/tags", headers={**asked, "Origin": "https://example.com"})
            assert stranger.status == 400
