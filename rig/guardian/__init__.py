"""The guardian: the one hand on the relay lines, with their interlocks, and what it does when nobody leads it any more.

On a bench it is a process of its own (`python -m rig.guardian`); on the in-process twin the same core runs inside. It
imports the standard library, the relay drivers and nothing heavy: it must be up at once and outlive everything else.
"""
