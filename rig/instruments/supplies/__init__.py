"""Supplies: a file for each family; `dialect` is what they share."""
