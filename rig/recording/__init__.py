"""What was said on the wires of a bench, and when: written while it is said, in one plain text format, and read back.

`docs/recording.md` describes the format, `rig.record/1`. Knows no instrument and no wire.
"""

from rig.recording.format import Elided, Event, Piece, Recording, Struck, read_recording
from rig.recording.recorder import Recorder, Tap, Taps

__all__ = [
    "Elided",
    "Event",
    "Piece",
    "Recorder",
    "Recording",
    "Struck",
    "Tap",
    "Taps",
    "read_recording",
]
