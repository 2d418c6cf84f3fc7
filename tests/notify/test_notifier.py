"""Notifications: sent where somebody listens, told about where nobody does, never late and never with a token."""

from __future__ import annotations

import importlib.util
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest

from rig.errors import InputError
from rig.notify import Kind, Notifier, notifier, open_notifier

TOKEN = "s3cr3t-t0k3n"
LONG_S = 120.0  # a machine may be slow; nothing here waits so long


class Listener:
    """A server on loopback: what it was sent, and what of the sender others could see meanwhile."""

    def __init__(self, status: int, *, hangs: bool) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.seen_outside: list[bytes] = []
        self.heard = threading.Event()
        self.over = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                outer.seen_outside += _of_senders("cmdline") + _of_senders("environ")
                outer.heard.set()
                if hangs:
                    outer.over.wait()
                    return
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def address(self) -> str:
        return f"json://user:{TOKEN}@127.0.0.1:{self._server.server_port}/?rto=60"

    def __enter__(self) -> Listener:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _of_senders(name: str) -> list[bytes]:
    """What `ps` can see of every process that is a sender of ours."""
    found = []
    for child in psutil.Process().children():
        folder = Path(f"/proc/{child.pid}")
        try:
            if b"rig.notify" in (folder / "cmdline").read_bytes():
                found.append((folder / name).read_bytes())
        except OSError:
            continue
    return found


@contextmanager
def listening(status: int = 200, *, hangs: bool = False) -> Iterator[Listener]:
    with Listener(status, hangs=hangs) as listener:
        yield listener


def dead() -> str:
    """An address where nobody listens: no program is given a port this low."""
    return f"json://user:{TOKEN}@127.0.0.1:1/"


def test_a_message_reaches_the_one_who_listens() -> None:
    with listening() as listener:
        said = Notifier((listener.address,), LONG_S).tell(Kind.FAIL, "cycle 31: FAIL", "190.020 to 190.110 s")
    assert said == "notification (fail): told 1 of 1"
    (body,) = listener.bodies
    assert (body["title"], body["message"], body["type"]) == ("cycle 31: FAIL", "190.020 to 190.110 s", "failure")


@pytest.mark.parametrize(("kind", "word"), [(Kind.STOP, "warning"), (Kind.NOT_SAFE, "failure"), (Kind.END, "info")])
def test_each_kind_has_its_weight(kind: Kind, word: str) -> None:
    with listening() as listener:
        Notifier((listener.address,), LONG_S).tell(kind, "title", "text")
    assert listener.bodies[0]["type"] == word


def test_a_server_that_answers_500_and_a_dead_port_are_told_and_the_others_are_served() -> None:
    with listening(500) as broken, listening() as well:
        said = Notifier((broken.address, dead(), well.address), LONG_S).tell(Kind.END, "title", "text")
    refused = "refused it, or was not there"
    assert said == f"notification (end): told 1 of 3; address 1 {refused}; address 2 {refused}"
    assert len(well.bodies) == 1


def test_a_server_that_hangs_holds_up_nobody_beyond_the_deadline() -> None:
    with listening(hangs=True) as listener:
        said = Notifier((listener.address,), 3.0).tell(Kind.FAIL, "title", "text")
        assert said == "notification (fail): told 0 of 1; address 1 did not answer within 3 s"
        assert _of_senders("cmdline") == []


def test_no_token_is_seen_by_others_or_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIG_METER_PASSWORD", TOKEN)
    with listening(500) as listener:
        monkeypatch.setenv("ICHIS_RIG_NOTIFY", f"{listener.address} {dead()}")
        telling = open_notifier(None, deadline_s=LONG_S)
        said = telling.tell(Kind.FAIL, "title", "text")
    assert listener.seen_outside
    assert TOKEN.encode() not in b"".join(listener.seen_outside)
    assert TOKEN not in said + repr(telling)


def test_a_child_that_cannot_be_started_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifier.sys, "executable", "/nowhere/python")
    assert Notifier((dead(),)).tell(Kind.STOP, "t", "t") == "notification (stop): told nobody (FileNotFoundError)"


def test_a_child_that_dies_at_once_has_told_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifier.sys, "executable", "/bin/false")
    assert "told 0 of 1; address 1 did not answer" in Notifier((dead(),)).tell(Kind.STOP, "t", "t")


def test_a_text_of_any_length_and_kind_is_sent() -> None:
    with listening() as listener:
        said = Notifier((listener.address,), LONG_S).tell(Kind.END, "ü" * 9000, "line\n" * 3000)
    assert said == "notification (end): told 1 of 1"
    assert len(listener.bodies[0]["message"]) <= 4000


# -- where addresses come from -----------------------------------------------------------------------------------------


def test_addresses_come_from_the_environment_and_from_a_file_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "addresses.toml"
    file.write_text(f'phone = "{dead()}"\n')
    file.chmod(0o600)
    found = open_notifier(file, {"ICHIS_RIG_NOTIFY": f" {dead()}\n{dead()} "}, LONG_S)
    assert repr(found) == "Notifier(3 addresses)"


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "addresses.toml"
    file.write_text(f'phone = "{dead()}"\n')
    file.chmod(0o640)
    with pytest.raises(InputError, match="others may read") as told:
        open_notifier(file, {})
    assert TOKEN not in told.value.one_line()


def test_no_address_is_bad_input_and_says_where_it_could_come_from() -> None:
    with pytest.raises(InputError) as told:
        open_notifier(None, {})
    assert "ICHIS_RIG_NOTIFY" in told.value.one_line()


def test_an_address_of_an_unknown_kind_is_refused_at_the_start_without_being_shown() -> None:
    with pytest.raises(InputError) as told:
        open_notifier(None, {"ICHIS_RIG_NOTIFY": f"{dead()} nonsense://{TOKEN}"}, LONG_S)
    assert "address 2 of 2" in told.value.one_line()
    assert TOKEN not in told.value.one_line()


def test_too_many_addresses_are_refused() -> None:
    with pytest.raises(InputError, match="too many"):
        open_notifier(None, {"ICHIS_RIG_NOTIFY": " ".join([dead()] * 21)})


def test_without_the_extra_it_is_one_clear_line_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'ichis-rig\[notify\]'"):
        open_notifier(None, {"ICHIS_RIG_NOTIFY": dead()})
