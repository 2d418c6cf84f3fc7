"""Stands for the package of the Raspberry Pi's GPIO library where there is none."""
