"""The HTTP app under the name that people start: `uvicorn server:app`. Its routes are in `onelook/api/app.py`."""

from onelook.api.app import build_app
from onelook.api.serve import write_logs_as_set

write_logs_as_set()  # now, so that the web server's first lines have the format of all others
app = build_app()
