"""Associations and services with one logical device: gurux-dlms makes the APDUs, ciphers them and does HLS.

gurux-dlms (GPL-2.0) is the optional extra `dlms`, loaded here and only when it is used. What it raises becomes a
`LinkError` that names what was done; what it prints is not printed: it may hold challenges and keys.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Literal

from rig.errors import InputError, LinkError, RigError, Where
from rig.meters.dlms.axdr import NoData, Value, decode
from rig.meters.dlms.counter import FrameCounter
from rig.meters.dlms.link import Link
from rig.meters.port import MeterRefused, Sending

Authentication = Literal["none", "low", "high", "high-md5", "high-sha1", "high-gmac", "high-sha256"]
MECHANISMS: dict[str, int] = {
    "none": 0,
    "low": 1,
    "high": 2,
    "high-md5": 3,
    "high-sha1": 4,
    "high-gmac": 5,
    "high-sha256": 6,
}
_TALKATIVE = ("GXDLMS", "GXDLMSChippering", "GXDLMSClient", "GXDLMSSettings", "GXSecure", "_GXAPDU")
"""Modules that print what must not be seen, or what would spoil `--json`."""
_MOST_BLOCKS = 10_000
_GET, _SET, _ACTION = "get", "set", "do"
TEMPORARY_FAILURE = 2
RESULTS = {
    1: "hardware fault",
    TEMPORARY_FAILURE: "temporary failure",
    3: "read or write denied",
    4: "object undefined",
    9: "object class inconsistent",
    11: "object unavailable",
    12: "type unmatched",
    13: "scope of access violated",
    14: "data block unavailable",
    15: "long action aborted",
    16: "no long action in progress",
    250: "other reason",
}
"""Data-Access-Result and Action-Result (Green Book 9.5)."""


class ResultRefused(MeterRefused):
    """The object answered with a result that is not success."""

    def __init__(self, message: str, result: int) -> None:
        super().__init__(message)
        self.result = result


@dataclass(frozen=True)
class Target:
    """One object: its class and its logical name, as `1-0:0.2.0*255`."""

    class_id: int
    obis: str

    @property
    def name(self) -> str:
        """As gurux-dlms has it, with dots."""
        return self.obis.replace("-", ".").replace(":", ".").replace("*", ".")


@dataclass(frozen=True)
class Keys:
    """What the association needs of secrets; a `repr` shows none of them."""

    password: bytes = field(default=b"", repr=False)
    encryption: bytes = field(default=b"", repr=False)
    authentication: bytes = field(default=b"", repr=False)

    def spelled(self) -> tuple[bytes, ...]:
        """Each of them as bytes and as hexadecimal digits, for who must strike them out."""
        there = [key for key in (self.password, self.encryption, self.authentication) if key]
        return tuple(form for key in there for form in (key, key.hex().encode(), key.hex().upper().encode()))


@dataclass(frozen=True)
class AssociationSettings:
    """`title`: this client's system title, eight bytes. `ciphered`: every APDU is authenticated and encrypted."""

    client: int
    server: int
    authentication: Authentication = "none"
    ciphered: bool = False
    title: bytes = b""


def load_gurux() -> None:
    """Raises InputError in one clear line where the extra is not installed."""
    _module("GXDLMSClient")


def _module(name: str) -> ModuleType:
    try:
        module = importlib.import_module(f"gurux_dlms.{name}")
    except ImportError:
        where = Where(key="meter.driver", found="'dlms'", expected="the extra dlms: pip install 'ichis-rig[dlms]'")
        raise InputError("gurux-dlms is not installed", where) from None
    return module


class DlmsClient:
    """One association at a time, opened when it is first needed. Every call raises `LinkError` or `LinkTimeout`."""

    def __init__(self, link: Link, settings: AssociationSettings, keys: Keys, counter: FrameCounter) -> None:
        """Raises InputError where gurux-dlms is not installed."""
        self.name = link.name
        self._link = link
        self._settings = settings
        self._keys = keys
        self._counter = counter
        self._gurux: Any = None
        self._invoke = 0
        load_gurux()

    @property
    def is_open(self) -> bool:
        return self._gurux is not None

    @property
    def sent(self) -> Sending | None:
        """When the last request left."""
        return self._link.sent

    def forget_sent(self) -> None:
        self._link.sent = None

    # -- the association ---------------------------------------------------------------------------

    def open(self) -> None:
        """Connect and associate, from scratch."""
        self.hang_up()
        try:
            self._link.connect()
            self._gurux = self._new_client()
            self._associate()
        except BaseException:
            self.hang_up()
            raise

    def close(self) -> None:
        """Release and disconnect; a link that breaks meanwhile is given back. Never raises LinkError."""
        if self._gurux is None:
            self._link.hang_up()
            return
        try:
            with self._translated("release"), self._numbered():
                for request in self._gurux.releaseRequest() or []:
                    self._exchange(bytes(request), "release")
            self._gurux = None
            self._link.disconnect()
        except LinkError:
            self.hang_up()

    def disconnect(self) -> None:
        """Disconnect without a release: it may be forgotten already. Never raises LinkError."""
        self._gurux = None
        try:
            self._link.disconnect()
        except LinkError:
            self._link.hang_up()

    def hang_up(self) -> None:
        self._gurux = None
        self._link.hang_up()

    def _new_client(self) -> Any:
        base = _module("secure.GXDLMSSecureClient")
        enums = _module("enums")
        for name in _TALKATIVE:
            _module(name).print = lambda *_args, **_named: None  # type: ignore[attr-defined]
        how = self._settings
        client = base.GXDLMSSecureClient(
            True,
            how.client,
            how.server,
            enums.Authentication(MECHANISMS[how.authentication]),
            self._keys.password or None,
            enums.InterfaceType.PDU,
        )
        client.autoIncreaseInvokeID = False
        cipher = client.settings.cipher
        if how.title:
            cipher.systemTitle = bytearray(how.title)
            cipher.blockCipherKey = bytearray(self._keys.encryption)
            cipher.authenticationKey = bytearray(self._keys.authentication)
        if how.ciphered:
            cipher.security = enums.Security.AUTHENTICATION_ENCRYPTION
        return client

    def _associate(self) -> None:
        gurux = self._gurux
        with self._translated("associate"):
            with self._numbered():
                answer = b""
                with self._link.secretly() if self._settings.authentication == "low" else contextlib.nullcontext():
                    for request in gurux.aarqRequest():
                        answer = self._exchange(bytes(request), "associate")
                gurux.parseAareResponse(self._heard(answer, "associate").data)
            if gurux.isAuthenticationRequired:
                with self._numbered():
                    self._prove()

    def _prove(self) -> None:
        """The second half of high-level security: each side proves that it knows the secret."""
        gurux, what = self._gurux, "high-level security"
        answer = None
        with self._link.secretly():  # a digest of the secret: who has it can guess
            for request in gurux.getApplicationAssociationRequest():
                answer = self._heard(self._exchange(bytes(request), what), what)
        if answer is None or answer.error:
            raise MeterRefused(f"{self.name}: {what}: the meter does not take our secret for its own")
        try:
            gurux.parseApplicationAssociationResponse(answer.data)
        except Exception:  # noqa: BLE001 - its words hold challenges
            raise LinkError(f"{self.name}: {what}: the meter does not prove that it knows the secret") from None

    # -- services ----------------------------------------------------------------------------------

    def get(self, target: Target, attribute: int) -> Value:
        """Raises ResultRefused where the object gives none."""
        what = f"{_GET} {target.obis} attribute {attribute}"
        with self._translated(what):
            data = self._service(lambda: self._reading(target, attribute), what, once=False)
        try:
            return decode(data)
        except NoData as error:
            raise LinkError(f"{self.name}: {what}: the answer is no value: {error}") from None

    def set(self, target: Target, attribute: int, value: Value) -> None:
        what = f"{_SET} {target.obis} attribute {attribute}"
        with self._translated(what):
            self._service(lambda: self._messages("SET", target, attribute, b"\0", value), what, once=True)

    def act(self, target: Target, method: int, value: Value, *, once: bool = False) -> None:
        """`once`: after silence or damage nothing is asked for again. Raises ResultRefused."""
        what = f"{_ACTION} {target.obis} method {method}"
        with self._translated(what):
            self._service(lambda: self._messages("METHOD", target, method, b"\1", value), what, once=once)

    def _reading(self, target: Target, attribute: int) -> list[Any]:
        kinds = _module("enums").ObjectType
        return list(self._gurux.read(_Item(target.name, kinds(target.class_id)), attribute))

    def _messages(self, command: str, target: Target, index: int, after: bytes, value: Value) -> list[Any]:
        """The APDUs of one SET or ACTION, in blocks where it is longer than the meter takes."""
        parameters = _module("GXDLMSLNParameters").GXDLMSLNParameters
        commands, buffer = _module("enums").Command, _module("GXByteBuffer").GXByteBuffer
        settings = self._gurux.settings
        settings.resetBlockIndex()
        head = target.class_id.to_bytes(2, "big") + bytes(int(p) for p in target.name.split(".")) + bytes([index])
        what = getattr(commands, f"{command}_REQUEST")
        made = parameters(settings, 0, what, 1, buffer(head + after), buffer(value.encode()), 0xFF)
        return list(_module("GXDLMS").GXDLMS.getLnMessages(made))

    def _service(self, make: Any, what: str, once: bool) -> bytes:
        """Send what `make` gives, and return the data that came back, put together from its blocks."""
        gurux = self._gurux
        self._invoke = (self._invoke + 1) % 16
        gurux.settings.invokeId = self._invoke
        answer = None
        with self._numbered():
            for request in make():
                answer = self._asked(bytes(request), what, once, None)
            for _ in range(_MOST_BLOCKS):
                if answer is None or not answer.isMoreData():
                    break
                request = gurux.receiverReady(answer)
                answer = self._asked(bytes(request), what, once, answer)
        if answer is None or answer.isMoreData():
            raise LinkError(f"{self.name}: {what}: the answer does not end")
        if answer.error:
            result = int(answer.error)
            words = RESULTS.get(result, f"result {result}")
            raise ResultRefused(f"{self.name}: {what}: the meter says: {words}", result)
        return bytes(answer.data.array())

    def _asked(self, request: bytes, what: str, once: bool, answer: Any) -> Any:
        heard = self._heard(self._exchange(request, what, once), what, answer)
        if heard.invokeId & 0x0F != self._invoke:
            raise LinkError(f"{self.name}: {what}: the answer is to another question")
        return heard

    def _heard(self, answer: bytes, what: str, into: Any = None) -> Any:
        del what
        data = into if into is not None else _module("GXReplyData").GXReplyData()
        self._gurux.getData(answer, data)
        return data

    def _exchange(self, request: bytes, what: str, once: bool = False) -> bytes:
        return self._link.exchange(request, what, once=once)

    @contextlib.contextmanager
    def _numbered(self) -> Iterator[None]:
        """Frames have numbers that were never used; also where nothing is ciphered, GMAC uses one.

        However it ends, what was given out is used: a frame may have left, and its number with another content would
        give the key away.
        """
        cipher, first = self._gurux.settings.cipher, None
        if self._settings.title:
            cipher.invocationCounter = first = self._counter.take()
        try:
            yield
        finally:
            if first is not None:
                self._counter.used(max(first + 1, cipher.invocationCounter))

    @contextlib.contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        """Whatever gurux-dlms raises becomes one line that names what was done. None of its words is told."""
        if self._gurux is None:
            raise LinkError(f"{self.name}: {what}: not associated")
        try:
            yield
        except RigError as error:
            if not isinstance(error, ResultRefused):
                self.hang_up()
            raise
        except Exception as error:  # noqa: BLE001 - another library's
            self.hang_up()
            raise self._named(what, error) from None
        except BaseException:
            self.hang_up()
            raise

    def _named(self, what: str, error: Exception) -> LinkError:
        kind = type(error).__name__
        if kind == "GXDLMSExceptionResponse":
            number = int(getattr(error, "exceptionServiceError", 0) or 0)
            words = {5: "deciphering failed: is the key right?", 6: _counter_words(error)}
            said = words.get(number, f"service error {number}")
            return MeterRefused(f"{self.name}: {what}: the meter refuses: {said}")
        if kind == "GXDLMSException" and getattr(error, "diagnostic", None) is not None:
            found = int(error.diagnostic)  # type: ignore[attr-defined]
            return MeterRefused(
                f"{self.name}: {what}: the meter refuses: {DIAGNOSTICS.get(found, f'diagnostic {found}')}"
            )
        if kind == "GXDLMSConfirmedServiceError":
            return MeterRefused(f"{self.name}: {what}: the meter refuses: confirmed service error")
        return LinkError(f"{self.name}: {what}: the answer cannot be read ({kind})")


DIAGNOSTICS = {
    1: "no reason given",
    2: "application context not supported (is ciphering right?)",
    11: "authentication mechanism not recognised",
    12: "authentication mechanism required",
    13: "authentication failure (is the password right?)",
    14: "authentication required",
}
"""Source-diagnostic of the AARE (Green Book 9.4.2)."""


def _counter_words(error: Exception) -> str:
    expected = getattr(error, "serviceErrorValue", None)
    return "the frame counter is too low" + (f"; it expects at least {expected}" if expected else "")


@dataclass(frozen=True)
class _Item:
    """What gurux-dlms asks of an object that is read."""

    name: str
    objectType: Any  # noqa: N815 - its name there
