"""How hard the property tests try: `RIG_EXAMPLES` examples each, by default few enough for every push."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "rail",
    max_examples=int(os.environ.get("RIG_EXAMPLES", "150")),
    deadline=None,
    derandomize="RIG_EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("rail")
