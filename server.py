"""The HTTP app under the name that people start: `uvicorn server:app`. Its routes are in `onelook/api/app.py`."""

from onelook.api.app import build_app

app = build_app()
