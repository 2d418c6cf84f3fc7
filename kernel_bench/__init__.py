"""A Linux kernel with a simulated GPIO chip and a clock that runs fast, as an ordinary process: for the tests only.

User-Mode Linux with `gpio-sim` and time travel, built once from Debian's `linux-source` package and kept outside of the
clone. `make kernel-bench` builds it, `make kernel-test` runs the tests marked `kernel` inside it.
"""
