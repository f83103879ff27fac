"""The baseline of the HTTP benchmark: a FastAPI route that only passes the picture to the same engine.

`python -m benchmarks.bare_route BASE_URL` serves it on a free port, in the same way as the HTTP API.
"""

from __future__ import annotations

import sys
from base64 import b64encode
from typing import Annotated

import uvicorn
from fastapi import FastAPI, File, UploadFile

from onelook.engines.base import AskRequest
from onelook.engines.build import build_engine
from onelook.settings.process import Settings
from onelook.tagger import build_services


def application(base_url: str) -> FastAPI:
    """One route, as in FastAPI's documentation."""
    settings = Settings(engine="vllm", base_url=base_url)
    engine = build_engine(settings)
    question = build_services(settings, engine).prompts["zh"].fused("json")
    app = FastAPI()

    @app.post("/v1/tags")
    async def ask(image: Annotated[UploadFile, File()]) -> dict[str, str]:
        url = f"data:image/jpeg;base64,{b64encode(await image.read()).decode('ascii')}"
        reply = await engine.ask(AskRequest(question.messages([url]), question.constraint, question.max_tokens))
        return {"reply": reply.text}

    return app


if __name__ == "__main__":
    uvicorn.run(application(sys.argv[1]), host="127.0.0.1", port=0, access_log=False, server_header=False)
