"""A meter behind an optical head, IEC 62056-21 mode C, as its profile says: which commands tell, which activate.

Knows the steps and the profile; one session is in `rig.meters.iec62056.session`. A session stays open while it is used,
and is signed off when the meter is closed and after every error. A question may be asked again in a new session; an
action never is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from rig.clock import Clock
from rig.errors import InputError, LinkError, Where
from rig.meters.actions import send_all, verified
from rig.meters.credentials import Secret
from rig.meters.iec62056.profile import Action, OpticalProfile, Value, filled
from rig.meters.iec62056.session import Session
from rig.meters.iec62056.sign_on import SignOn
from rig.meters.port import Abilities, Activation, ImageState, LogEntry, Meter, MeterIdentity, MeterRefused
from rig.meters.serial_port import SerialPort, with_parity

_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,9})?")
_CODES = {16: re.compile(r"[0-9A-Fa-f]{1,8}"), 10: re.compile(r"[0-9]{1,10}")}
_CREDENTIAL = re.compile(r"[^()/!*\x00-\x1f\x7f-\U0010ffff]{1,64}")
_Result = TypeVar("_Result")


class OpticalMeter(Meter):
    """See `rig.meters.port.Meter`. `secrets`: the credentials that the profile names; each is checked to fit here."""

    def __init__(
        self,
        port: SerialPort,
        profile: OpticalProfile,
        clock: Clock,
        how: SignOn,
        secrets: Mapping[str, Secret] | None = None,
        idle_s: float = 50.0,
    ) -> None:
        """`idle_s`: see `Session`. Raises InputError for a credential that no data set can hold."""
        super().__init__()
        self.name = port.name
        image = profile.image
        self.abilities = Abilities(transfer=image is not None, resume=image is not None and image.received is not None)
        self._port = port
        self._profile = profile
        self._clock = clock
        self._secrets = {name: _fitting(secret) for name, secret in (secrets or {}).items()}
        password = profile.password
        opened = None if password is None else lambda: (password.command, filled(password.text, self._secrets))
        self._session = Session(port, how, opened, idle_s)
        self._begun: bytes | None = None
        """The image of which the meter already has a part."""

    def secret_bytes(self) -> tuple[bytes, ...]:
        """Its credentials as they go over the wire, for who must strike them out: with parity in software, too."""
        values = list(self._secrets.values())
        return (*(value.encode("ascii") for value in values), *(with_parity(value.encode("ascii")) for value in values))

    @property
    def activates(self) -> bool:
        """Whether the profile says how; otherwise it only reads."""
        return bool(self._profile.activation)

    def identity(self) -> MeterIdentity:
        who = self._profile.identity
        return MeterIdentity(*(self._told(each) for each in (who.maker, who.model, who.serial)))

    def introduction(self) -> str:
        """What `identity` and `version` ask for, in words."""
        asked = ["sign-on"]
        for value in self._profile.values():
            if value.command is not None:
                asked.append(f"{value.command} {value.text}")
            elif value.readout is not None:
                asked.append(f"readout {value.readout}")
        return "IEC 62056-21: " + ", ".join(dict.fromkeys(asked))

    def version(self) -> str:
        return self._profile.version.separator.join(self._text(part) for part in self._profile.version.parts)

    def image_state(self) -> ImageState | None:
        status = self._profile.status
        if status is None:
            return None
        code = self._text(status.value)
        state = status.state(code)
        if state is None:
            raise LinkError(f"{self.name}: image status {code!a} is not in the profile '{self._profile.name}'")
        return state

    def uptime_s(self) -> float | None:
        return None if self._profile.uptime is None else self._number(self._profile.uptime)

    def uptime_step_s(self) -> float:
        return self._profile.uptime.scale if self._profile.uptime is not None else 1.0

    def events(self) -> tuple[LogEntry, ...]:
        log = self._profile.log
        if log is None:
            return ()
        told = [value.partition("*")[0].strip() for _, value in self._sets(log.value)]
        if told == [""]:
            return ()
        if len(told) % log.fields:
            raise LinkError(f"{self.name}: the log's {len(told)} fields are no entries of {log.fields}")
        entries = []
        for at in range(0, len(told), log.fields):
            code = told[at + log.code_at]
            if _CODES[log.code_base].fullmatch(code) is None:
                raise LinkError(f"{self.name}: no code of an event: {code!a}")
            when = None if log.time_at is None else int(self._as_number(told[at + log.time_at]))
            entries.append(LogEntry(int(code, log.code_base), when))
        return tuple(entries)

    # -- the image -----------------------------------------------------------------------------------------------

    def transfer(self, image: bytes, progress: Callable[[int, int], None]) -> None:
        """In blocks. A block that was sent and not acknowledged is sent again only in a transfer that goes on, or where
        the meter says that it came damaged: it goes to its own place, so a second one changes nothing."""
        plan = self._profile.image
        if plan is None:
            return super().transfer(image, progress)
        has = self._already_there(image)
        self._begun = image
        for at in range(has - has % plan.bytes_a_block, len(image), plan.bytes_a_block):
            data = image[at : at + plan.bytes_a_block]
            pieces = {"offset": f"{at:08X}", "data": data.hex().upper()}
            self._act(plan.block, pieces, repeat=True)
            progress(at + len(data), len(image))
        return None

    def _already_there(self, image: bytes) -> int:
        """How many bytes of this image the meter holds from an earlier, broken transfer."""
        plan = self._profile.image
        if plan is None or plan.received is None or image != self._begun:
            return 0
        return max(0, min(len(image), int(self._number(plan.received))))

    def verify(self, image_hash: bytes, size: int) -> ImageState:
        plan = self._profile.image
        if plan is None:
            return super().verify(image_hash, size)
        for action in plan.verify:
            self._clock.sleep(action.before_s)
            self._act(action, _image_pieces(image_hash, size))
            self._clock.sleep(action.after_s)
        state = verified(self, self._clock, plan.verify_s)
        self._begun = None
        return state

    # -- activation ----------------------------------------------------------------------------------------------

    def activate(self, image_hash: bytes, size: int) -> Activation:
        """See `Meter` and `rig.meters.actions`. It is done in a session of its own, begun for it: a link that died
        unnoticed would swallow the command. NAK is a refusal here: nothing is sent twice. Then the meter is signed off.
        """
        actions = self._profile.activation
        if not actions:
            raise LinkError(f"{self.name}: the profile '{self._profile.name}' has no activation")
        self._session.open()
        self._clock.sleep(actions[0].before_s)
        pieces = _image_pieces(image_hash, size)
        with self._clock.shielded():  # what has begun is not broken off half way
            try:
                return send_all(actions, lambda n: self._in_session(actions[n], pieces), self._port, self._clock)
            finally:
                self._session.end()

    # -- commands ------------------------------------------------------------------------------------------------

    def _act(self, action: Action, pieces: Mapping[str, str], repeat: bool = False) -> None:
        if not self._session.is_open:
            self._session.open()
        self._in_session(action, pieces, repeat)

    def _in_session(self, action: Action, pieces: Mapping[str, str], repeat: bool = False) -> None:
        secret = any(name in self._secrets for name in action.places())
        text = filled(action.text, {**self._secrets, **pieces})
        self._session.act(action.command, text, repeat=repeat, secret=secret)

    def _asked(self, question: Callable[[], _Result]) -> _Result:
        """A question in the session that is open; where that has died (a meter that rebooted), in a new one."""
        if self._session.is_open:
            try:
                return question()
            except MeterRefused:
                raise
            except LinkError:
                pass  # the meter was signed off; what is wrong with it a new session will tell
        self._session.open()
        return question()

    # -- reading -------------------------------------------------------------------------------------------------

    def _told(self, value: Value | str | None) -> str:
        return self._text(value) if isinstance(value, Value) else value or ""

    def _sets(self, value: Value) -> list[tuple[str, str]]:
        """The data sets of the answer; one that names its address must name the one that was asked for."""
        command, text = value.command or "", value.text or ""
        address = text.partition("(")[0]
        sets = self._asked(lambda: self._session.read(command, text, value.longest))
        for named, _ in sets[:1]:
            if named and address and named != address:
                raise LinkError(f"{self.name}: {command} {text}: the answer is about {named!a}")
        return sets

    def _text(self, value: Value) -> str:
        if value.identification is not None:
            who = self._session.identification()
            told = who.maker if value.identification == "maker" else who.text
        elif value.readout is not None:
            found = [told for address, told in self._session.readout() if address == value.readout]
            told = self._item(found, value, f"readout: {value.readout}")
        else:
            told = self._item([told for _, told in self._sets(value)], value, f"{value.command} {value.text}")
        end = None if value.length is None else value.skip + value.length
        return (
            told.partition("*")[0].strip()[value.skip : end].strip() if "*" in told else told.strip()[value.skip : end]
        )

    def _item(self, told: list[str], value: Value, what: str) -> str:
        if value.item >= len(told):
            raise LinkError(f"{self.name}: {what}: no data set {value.item} in the answer")
        return told[value.item]

    def _number(self, value: Value) -> float:
        return self._as_number(self._text(value)) * value.scale

    def _as_number(self, text: str) -> float:
        if _NUMBER.fullmatch(text) is None:
            raise LinkError(f"{self.name}: no number: {text[:32]!a}")
        return float(text)

    # -- the link ------------------------------------------------------------------------------------------------

    def abort(self) -> None:
        self._port.abort()

    def close(self) -> None:
        """Signed off, and closed."""
        self._session.end()
        self._port.close()


def _image_pieces(image_hash: bytes, size: int) -> dict[str, str]:
    return {"sha256": image_hash.hex().upper(), "size": str(size)}


def _fitting(secret: Secret) -> str:
    """Its value. Raises InputError, which never holds it."""
    value = secret.reveal()
    if _CREDENTIAL.fullmatch(value) is None:
        expected = "1 to 64 printable ASCII characters, none of ( ) / ! *"
        raise InputError(f"the credential '{secret.name}' does not fit a data set", Where(expected=expected)) from None
    return value
