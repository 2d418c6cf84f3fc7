"""The child that sends: one message to all addresses at once. Reads one JSON object, answers `number word` lines.

`told`, `refused` (also: nobody there) or `unknown` (no kind of address that apprise knows) for each, as it comes. Says
nothing else, whatever happens: a library's words may hold an address. Its parent ends it when the time is over.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

_TYPES = {"fail": "failure", "not-safe": "failure", "stop": "warning", "end": "info"}


def main() -> None:
    logging.disable()
    body = json.loads(sys.stdin.buffer.read())
    addresses = body["addresses"]
    with ThreadPoolExecutor(len(addresses)) as pool:  # one that hangs must not hold up the others
        for number, address in enumerate(addresses, start=1):
            pool.submit(_one, number, address, body)


def _one(number: int, address: str, body: dict[str, Any]) -> None:
    try:
        word = _send(address, body)
    except Exception:  # noqa: BLE001 - its words are not told
        word = "refused"
    os.write(1, f"{number} {word}\n".encode())  # whole, also while others write


def _send(address: str, body: dict[str, Any]) -> str:
    import apprise

    service = apprise.Apprise.instantiate(address)
    if service is None:
        return "unknown"
    if body["kind"] == "check":
        return "told"
    sent = service.notify(body=body["text"], title=body["title"], notify_type=_TYPES[body["kind"]])
    return "told" if sent else "refused"


if __name__ == "__main__":
    main()
