"""How long a test waits for another process or thread before it calls that a hang."""

from __future__ import annotations

HANG_S = 600.0
"""No test passes or fails by it: a busy machine is slow, and only something that never comes takes this long."""
