"""Benchmarks: figures that a machine gives, never tests."""
