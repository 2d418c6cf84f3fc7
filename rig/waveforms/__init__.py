"""Waveforms from files that a bench already has: CSV exports by maker, sigrok sessions, this rig's own captures.

Judges nothing. `read` gives one channel's samples with the times at which they were taken; `open_capture` gives a
capture's codes block by block. Everything that is wrong with a file is one `rig.errors.InputError`.
"""

from rig.waveforms.capture import StoredCapture, open_capture
from rig.waveforms.reader import channels, dialects, read
from rig.waveforms.waveform import MAX_SAMPLES, Binning, Waveform

__all__ = ["MAX_SAMPLES", "Binning", "StoredCapture", "Waveform", "channels", "dialects", "open_capture", "read"]
