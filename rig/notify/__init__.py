"""Telling people away from the bench: a FAIL, a stop, a bench that is not safe, and the end of a soak.

Knows addresses and a child process; knows no soak. Addresses hold tokens: they come from the environment or from a
file that only its owner reads, go to the child by its standard input, and are in no message, log, argument or evidence.
Whatever goes wrong is told in a sentence, takes a stated time at most, and stops nothing.
"""

from rig.notify.notifier import DEADLINE_S, Kind, Notifier, open_notifier

__all__ = ["DEADLINE_S", "Kind", "Notifier", "open_notifier"]
