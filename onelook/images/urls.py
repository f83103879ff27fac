"""The http(s) URL of a picture: parsed, and as messages show it."""

from __future__ import annotations

from yarl import URL

from onelook.errors import ImageRefused


def shown(url: URL) -> str:
    """The URL for messages: without passwords and signed query strings, which must stay out of logs and results."""
    return str(url.with_user(None).with_query(None).with_fragment(None))


def parse_url(text: str, *, base: URL | None = None) -> URL:
    """Raises ImageRefused for what is not an http(s) URL with a host."""
    try:
        url = URL(text) if base is None else base.join(URL(text))
        usable = url.scheme in ("http", "https") and bool(url.host) and url.port is not None
    except ValueError:
        usable = False
    if not usable:
        raise ImageRefused(
            f"{'the address' if base is None else shown(base) + ' redirects to what'} is not a complete http(s) URL",
            hint="write it as https://host/path",
        )
    return url
