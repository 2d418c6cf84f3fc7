"""Oscilloscopes: a file for each family.

`deep` is the life that they share; `screen` plans a capture, `steps` sets it, `record` says what it means.
"""
