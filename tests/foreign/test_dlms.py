"""DLMS with programs that nobody here wrote: our driver and pydlms's simulated meter, the clients of gurux, pydlms and
dlms-cosem and the twin's meter. Real sockets, a real pseudo-terminal, and the clock of the machine."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from rig.bench.dlms_opening import open_dlms
from rig.bench.dlms_table import DlmsPart
from rig.clock.system import SystemClock
from rig.errors import LinkError
from rig.firmware import Behaviour
from rig.meters.dlms.meter import DlmsMeter
from rig.meters.iec62056.frames import NAK
from rig.meters.port import ImageState, MeterRefused
from rig.twin.dlms.association import GMAC, LOW, Client, Security
from rig.twin.dlms.face import PUBLIC_CLIENT, TITLE, TwinDlms
from rig.twin.dlms.wire import HdlcEnd, HdlcServer, WrapperServer
from rig.twin.meter import ImageCode, KnownImage, TwinMeter
from rig.twin.optical import TwinOptical
from rig.twin.optical_wire import OpticalServer
from rig.twin.system_time import SystemTimeline
from tests.foreign.programs import HERE, PYTHON, VENV, needs_foreign, told

pytestmark = needs_foreign

IMAGE = bytes(range(256)) * 13 + b"end"
HASH = hashlib.sha256(IMAGE).digest()
KEY, AUTH_KEY = bytes(range(16)), bytes(range(0xD0, 0xE0))
SECRET = "hallo-meter"
SCALE = 0.01


# -- our driver and pydlms's meter ---------------------------------------------------------------------------


class Simulated:
    """pydlms's meter in a process of its own, and our driver's meter for it."""

    def __init__(self, process: subprocess.Popen[str], kind: str, state: Path, table: dict[str, Any]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._in, self._out = process.stdin, process.stdout
        address = json.loads(self._out.readline())["address"]
        place = {"wrapper": {"address": address}, "hdlc": {"port": f"socket://{address}"}, "optical": {"port": address}}
        sign_on = {"sign_on": "direct"} if kind == "hdlc" else {}
        part = DlmsPart(driver="dlms", timeout_s=10.0, **place[kind], **sign_on, **table)  # type: ignore[arg-type]
        self.meter: DlmsMeter = open_dlms("meter", part, SystemClock(), state)

    def held(self) -> dict[str, Any]:
        """What it says it holds."""
        self._in.write("held\n")
        self._in.flush()
        return dict(json.loads(self._out.readline()))


@contextmanager
def simulated(kind: str, state: Path, *words: str, **table: Any) -> Iterator[Simulated]:
    command = [PYTHON, HERE / "pydlms_meter.py", kind, *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            it = Simulated(process, kind, state, table)
            yield it
            it.meter.close()
        finally:
            process.kill()


def nothing(_done: int, _total: int) -> None:
    return


@pytest.mark.parametrize("kind", ["wrapper", "hdlc", "optical"])
def test_an_image_is_sent_verified_and_activated_on_pydlms_meter(kind: str, tmp_path: Path) -> None:
    with simulated(kind, tmp_path, "verify_steps=2", window=3) as it:
        assert it.meter.version() == "1.0.0"
        assert it.meter.identity().serial == "PYD0000000001"
        it.meter.transfer(IMAGE, nothing)
        assert bytes.fromhex(it.held()["image"]) == IMAGE
        assert it.meter.verify(HASH, len(IMAGE)) is ImageState.VERIFIED
        sent = it.meter.activate(HASH, len(IMAGE))
        assert sent.before_ns < sent.after_ns
        assert it.meter.image_state() is ImageState.ACTIVATED
        assert it.meter.version() == "1.1.0"


def test_blocks_that_pydlms_meter_loses_are_sent_again_and_no_others(tmp_path: Path) -> None:
    with simulated("hdlc", tmp_path, "drop_blocks=[0, 3, 52]") as it:
        it.meter.transfer(IMAGE, nothing)
        received = it.held()["received"]
        assert sorted(received) == list(range(53))
        assert received[-3:] == [0, 3, 52]


def test_a_transfer_goes_on_where_pydlms_meter_says_that_it_was(tmp_path: Path) -> None:
    with simulated("wrapper", tmp_path) as it:

        def stop(done: int, _total: int) -> None:
            if done > 1000:
                raise LinkError("the cable was pulled")

        with pytest.raises(LinkError, match="pulled"):
            it.meter.transfer(IMAGE, stop)
        it.meter.transfer(IMAGE, nothing)
        held = it.held()
        assert bytes.fromhex(held["image"]) == IMAGE
        assert len(held["received"]) == 53, "no block was sent twice"


def test_a_verification_that_fails_on_pydlms_meter_is_told(tmp_path: Path) -> None:
    with simulated("hdlc", tmp_path, "verify_steps=1", "fail_verify=true") as it:
        it.meter.transfer(IMAGE, nothing)
        assert it.meter.verify(HASH, len(IMAGE)) is ImageState.REJECTED
        with pytest.raises(MeterRefused, match="rejected, not verified"):
            it.meter.activate(HASH, len(IMAGE))


def test_image_transfer_that_pydlms_meter_does_not_enable_is_refused(tmp_path: Path) -> None:
    with simulated("wrapper", tmp_path, "enabled=false") as it, pytest.raises(MeterRefused, match="not enabled"):
        it.meter.transfer(IMAGE, nothing)


def test_silence_of_pydlms_meter_after_the_command_is_no_error(tmp_path: Path) -> None:
    with simulated("wrapper", tmp_path, "drop_on_activate=true") as it:
        it.meter.transfer(IMAGE, nothing)
        it.meter.verify(HASH, len(IMAGE))
        assert it.meter.activate(HASH, len(IMAGE)).problem is None
        assert it.meter.version() == "1.1.0"


@pytest.mark.parametrize(
    ("mechanism", "name"),
    [(1, "low"), (2, "high"), (3, "high-md5"), (4, "high-sha1"), (5, "high-gmac"), (6, "high-sha256")],
)
def test_pydlms_meter_takes_every_way_to_show_who_we_are(
    mechanism: int, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RIG_METER_PASSWORD", SECRET)
    monkeypatch.setenv("RIG_METER_ENCRYPTION_KEY", KEY.hex())
    monkeypatch.setenv("RIG_METER_AUTHENTICATION_KEY", AUTH_KEY.hex())
    secured = {"ciphered": True} if name == "high-gmac" else {}
    with simulated(
        "wrapper", tmp_path, f"mechanism={mechanism}", authentication=name, title="5249470000000001", **secured
    ) as it:
        assert it.meter.version() == "1.0.0"
        it.meter.close()
        assert it.meter.version() == "1.0.0", "a second association has a higher frame counter"


def test_a_wrong_password_is_told_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIG_METER_PASSWORD", "wrong")
    with (
        simulated("wrapper", tmp_path, "mechanism=1", authentication="low") as it,
        pytest.raises(MeterRefused, match="authentication failure") as caught,
    ):
        it.meter.version()
    assert "wrong" not in caught.value.one_line()


# -- foreign clients and the twin's meter --------------------------------------------------------------------


class Twin:
    """The twin's meter, booted, on the clock of the machine; a second of it takes 10 ms."""

    def __init__(self, block_bytes: int = 1024) -> None:
        self.timeline = SystemTimeline(SCALE)
        known = {HASH.hex(): KnownImage("1.1.0", Behaviour(version_changes_at_s=5.0))}
        clients = {PUBLIC_CLIENT: Client(), 1: Client(), 2: Client(LOW, b"hallo"), 3: Client(GMAC, b"", True)}
        security = Security(clients, TITLE, KEY, AUTH_KEY)
        with self.timeline:
            self.meter = TwinMeter(self.timeline, lambda _: None, known, "1.0.0")
            self.face = TwinDlms(self.meter, security, block_bytes=block_bytes, scale=SCALE)
            self.meter.mains(True)
        until(lambda: self.meter.answers)


@contextmanager
def twins_meter(**options: int) -> Iterator[Twin]:
    it = Twin(**options)
    yield it
    it.timeline.close()
    assert it.timeline.failure is None


@pytest.fixture
def twin() -> Iterator[Twin]:
    with twins_meter() as it:
        yield it


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        os.sched_yield()


def gurux(*words: str) -> dict[str, Any]:
    """What gurux's client read."""
    command = [PYTHON, HERE / "gurux_client.py", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("kind", ["wrapper", "hdlc"])
def test_gurux_client_reads_the_twins_meter_and_activates_an_image_on_it(kind: str, twin: Twin, tmp_path: Path) -> None:
    file = tmp_path / "image"
    file.write_bytes(IMAGE)
    wire: WrapperServer | HdlcServer
    if kind == "wrapper":
        wire = WrapperServer(twin.face, twin.timeline, twin.timeline)
        place = wire.endpoint
    else:
        wire = HdlcServer(twin.face, 38_400, twin.timeline, twin.timeline)
        place = wire.path
    read = gurux(kind, place, f"image={file}", f"identifier={HASH.hex()}")
    assert (read["version"], read["serial"]) == ("1.0.0", "SM0000001")
    assert read["objects"] > 8
    *blocks, verify, activate = read["image"]
    assert set(blocks) == {0}
    assert (verify, activate) == (2, 0), "verification takes its time; the command is taken"
    until(lambda: twin.meter.version == "1.1.0")
    assert bytes(twin.meter.slot) == IMAGE
    wire.close()


@pytest.mark.parametrize(
    "words",
    [
        ("client=2", "mechanism=1", "password=hallo"),
        ("client=3", "mechanism=5", f"key={KEY.hex()}", f"auth_key={AUTH_KEY.hex()}"),
    ],
    ids=["low", "gmac"],
)
def test_gurux_client_is_known_by_what_it_shows(words: tuple[str, ...], twin: Twin) -> None:
    wire = WrapperServer(twin.face, twin.timeline, twin.timeline)
    assert gurux("wrapper", wire.endpoint, *words)["version"] == "1.0.0"
    wire.close()


def cosem(*words: str) -> dict[str, Any]:
    """What dlms-cosem's client read."""
    return dict(json.loads(told("cosem_client.py", *words)))


@pytest.mark.parametrize("kind", ["tcp", "hdlc"])
def test_dlms_cosem_client_activates_an_image_on_the_twins_meter(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "image"
    file.write_bytes(IMAGE)
    with twins_meter(block_bytes=100) as twin:  # this client cannot say a length of 128 or more
        wire: WrapperServer | HdlcServer
        if kind == "tcp":
            wire = WrapperServer(twin.face, twin.timeline, twin.timeline)
            place = (wire.endpoint,)
        else:
            wire = HdlcServer(twin.face, 38_400, twin.timeline, twin.timeline)
            place = (wire.path, "baud=38400")
        read = cosem(kind, *place, f"image={file}", f"identifier={HASH.hex()}")
        assert (read["version"], read["serial"], read["objects"]) == ("1.0.0", "SM0000001", 12)
        *blocks, verify, activate = read["image"]
        assert set(blocks) == {"done"}
        assert ("TEMPORARY_FAILURE" in verify, activate) == (True, "done")
        until(lambda: twin.meter.version == "1.1.0")
        assert bytes(twin.meter.slot) == IMAGE
        wire.close()


@pytest.mark.parametrize(
    "words",
    [("client=2", "password=hallo"), ("client=3", f"key={KEY.hex()}", f"auth_key={AUTH_KEY.hex()}")],
    ids=["low", "gmac"],
)
def test_dlms_cosem_client_is_known_by_what_it_shows(words: tuple[str, ...], twin: Twin) -> None:
    wire = WrapperServer(twin.face, twin.timeline, twin.timeline)
    assert cosem("tcp", wire.endpoint, *words)["version"] == "1.0.0"
    wire.close()


def pydlms(*words: str) -> str:
    done = subprocess.run([VENV / "bin" / "pydlms", *words], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("kind", ["wrapper", "optical"])
def test_pydlms_client_activates_an_image_on_the_twins_meter(kind: str, twin: Twin, tmp_path: Path) -> None:
    file = tmp_path / "image"
    file.write_bytes(IMAGE)
    wire: WrapperServer | OpticalServer
    if kind == "wrapper":
        wire = WrapperServer(twin.face, twin.timeline, twin.timeline)
        place = f"tcp://{wire.endpoint}"
    else:
        optical = TwinOptical(twin.meter, twin.timeline, lambda *_: NAK, HdlcEnd(twin.face), scale=SCALE)
        wire = OpticalServer(optical, twin.timeline, twin.timeline)
        place = f"optical://{wire.path}"
    common = ("--client", "1", "--auth", "none")
    assert read_octets(pydlms("--json", "read", place, *common, "--obis", "1.0.0.2.0.255")) == b"1.0.0".hex()
    how = ("--identifier", HASH.hex(), "--yes", "--activate", "--poll", "0.02")
    said = pydlms("--json", "image-transfer", place, str(file), *common, *how)
    (result,) = json.loads(said)
    assert (result["size"], result["blocks"], result["rounds"]) == (len(IMAGE), 4, 1)
    assert result["activated"] is True
    until(lambda: twin.meter.version == "1.1.0")
    assert twin.meter.image_code is ImageCode.ACTIVATED
    wire.close()


def read_octets(told: str) -> str:
    return str(json.loads(told)[0]["value"])


@pytest.mark.parametrize(
    "words",
    [
        ("--client", "2", "--auth", "lls", "--password", "hallo"),
        (
            *("--client", "3", "--auth", "gmac", "--system-title", "5059440000000001"),
            *("--key", KEY.hex(), "--auth-key", AUTH_KEY.hex(), "--invocation-counter", "7"),
        ),
    ],
    ids=["low", "gmac"],
)
def test_pydlms_client_is_known_by_what_it_shows(words: tuple[str, ...], twin: Twin) -> None:
    wire = WrapperServer(twin.face, twin.timeline, twin.timeline)
    said = pydlms("--json", "read", f"tcp://{wire.endpoint}", *words, "--obis", "1.0.0.2.0.255")
    assert bytes.fromhex(read_octets(said)) == b"1.0.0"
    wire.close()
