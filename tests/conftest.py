"""Property tests try the same examples at every push, so that a red build is the change's; more are tried by hand.

`RIG_EXAMPLES=5000 make test` draws that many new ones where a test does not state its own number.
"""

from __future__ import annotations

import os

from hypothesis import settings

pytest_plugins = ["pytester"]

settings.register_profile(
    "push",
    max_examples=int(os.environ.get("RIG_EXAMPLES", "100")),
    deadline=None,
    derandomize="RIG_EXAMPLES" not in os.environ,
)
settings.load_profile("push")
