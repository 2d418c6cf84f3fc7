"""What is done on a bench, step by step, and what follows from what was seen. Knows ports, no drivers.

A test: `session` (one visit to a bench), in it `activation` with `meter_steps`, `watch`, `capturing` or `polling`; then
`judging`. `control` and `controls` prove the eyes first. `analysing`: files instead of a bench. `soak`: many tests.
"""
