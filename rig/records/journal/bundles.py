"""What a bundle says of its attempt: the journal's rows are read from the disk, when a run ends as when all is rebuilt.

`attempt.json` (`rig.attempt/1`) is written before anything is activated and holds the row of the beginning; the row of
the end comes from `run.json` or `controls.json`, the last line of `events.jsonl`, and `SHA256SUMS`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from rig.errors import InputError, Where
from rig.guardian.strict import from_json, to_json
from rig.records.bundle import EVENTS, SUMS, json_text
from rig.records.journal.facts import CONTROLS, RUN, Begun, Ended

_T = TypeVar("_T")

ATTEMPT = "attempt.json"
SCHEMA = "rig.attempt/1"
RECORDS = {RUN: "run.json", CONTROLS: "controls.json"}


def attempt_text(begun: Begun) -> str:
    """The content of `attempt.json`."""
    return json_text({"schema": SCHEMA, **to_json(begun)})


def begun_in(folder: Path) -> Begun:
    """The beginning that a bundle, whole or half-written, tells. Raises InputError.

    A bundle without `attempt.json` (from before there was a journal) tells it by its record, but for its process.
    """
    file = folder / ATTEMPT
    if not file.exists():
        return _begun_by_record(folder)
    body = read_json(file)
    if body.pop("schema", None) != SCHEMA:
        raise InputError("not the beginning of an attempt", Where(str(file), "schema", expected=SCHEMA))
    return strictly(Begun, body, file)


def ended_in(folder: Path) -> Ended:
    """The end that a finished bundle tells. Raises InputError naming the file and what is wrong."""
    kind = _kind(folder)
    file = folder / RECORDS[kind]
    body = read_json(file)
    try:
        told = _run_ended(body) if kind == RUN else _controls_ended(body)
        labels = body["labels"]
        rest = {
            "run_id": labels["run_id"],
            "safe": body["safe_state"]["proven"],
            "meter": meter_of(body["identities"]),
            "sums_sha256": sums_sha256(folder),
            "elapsed_s": _last_event_s(folder),
            "elapsed_real_s": labels["elapsed_real_s"],
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError("not a record of this rig", Where(str(file), found=f"no {error}")) from error
    return strictly(Ended, {**told, **rest}, file)


def meter_of(identities: Mapping[str, Mapping[str, str]]) -> str | None:
    """Maker, model and serial number of the meter that answered, in one line; None where none did."""
    who = identities.get("meter", {})
    return " ".join(who[key] for key in ("maker", "model", "serial") if key in who) or None


def sums_sha256(folder: Path) -> str:
    """What stands for the whole bundle: the SHA-256 of its SHA256SUMS. Raises InputError."""
    return hashlib.sha256(read(folder / SUMS)).hexdigest()


def read(file: Path) -> bytes:
    """Raises InputError naming the file."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError("cannot be read", Where(str(file), found=error.strerror)) from error


def read_json(file: Path) -> dict[str, Any]:
    """The object in a file. Raises InputError naming it."""
    try:
        body = json.loads(read(file))
    except ValueError as error:
        raise InputError("not JSON", Where(str(file), found=str(error))) from error
    if not isinstance(body, dict):
        raise InputError("not JSON as this rig writes it", Where(str(file), expected="an object"))
    return body


def strictly(kind: type[_T], body: Mapping[str, Any], file: Path) -> _T:
    """`body` as a `kind`, every key there and of its type. Raises InputError naming the file and the key."""
    try:
        return from_json(kind, dict(body))
    except InputError as error:
        where = Where(str(file), error.where.key, None, error.where.found, error.where.expected)
        raise InputError("not as this rig writes it", where) from error


def _kind(folder: Path) -> str:
    found = [kind for kind, name in RECORDS.items() if (folder / name).exists()]
    if len(found) != 1:
        raise InputError("not a bundle of this rig", Where(str(folder), expected=" or ".join(RECORDS.values())))
    return found[0]


def _run_ended(body: dict[str, Any]) -> dict[str, Any]:
    longest, activation = body["longest_outage"], body["activation"]
    return {
        "verdict": body["verdict"],
        "rail_verdict": body["rail_verdict"],
        "reasons": [reason["code"] for reason in body["reasons"]],
        "lower_s": longest["lower_s"],
        "estimate_s": longest["estimate_s"],
        "upper_s": longest["upper_s"],
        "limit_s": body["limit_s"],
        "comparison": body["comparison"],
        "version_before": activation["version_before"],
        "version_after": activation["version_after"],
    }


def _controls_ended(body: dict[str, Any]) -> dict[str, Any]:
    nothing = dict.fromkeys(
        ("rail_verdict", "lower_s", "estimate_s", "upper_s", "limit_s", "comparison", "version_before", "version_after")
    )
    interrupted = ["interrupted"] if body["interrupted"] is not None else []
    return {"verdict": "VALID" if body["valid"] else "INVALID", "reasons": interrupted, **nothing}


def _begun_by_record(folder: Path) -> Begun:
    kind = _kind(folder)
    file = folder / RECORDS[kind]
    body = read_json(file)
    try:
        firmware = body["firmware"] if kind == RUN else {}
        told = {
            "run_id": body["labels"]["run_id"],
            "kind": kind,
            "utc": body["labels"]["started_utc"],
            "bench": body["bench"]["name"] if kind == RUN else body["bench"],
            "fixture": firmware.get("fixture"),
            "version_from": firmware.get("version_from"),
            "version_to": firmware.get("version_to"),
            "meter": None,
            "cycle": None,
            "process": None,
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError("not a record of this rig", Where(str(file), found=f"no {error}")) from error
    return strictly(Begun, told, file)


def _last_event_s(folder: Path) -> float:
    lines = read(folder / EVENTS).splitlines()
    try:
        return float(json.loads(lines[-1])["t_s"])
    except (IndexError, ValueError, KeyError, TypeError) as error:
        where = Where(str(folder / EVENTS), line=len(lines), expected="an event of this rig")
        raise InputError("not the events of a run", where) from error
