"""The bench: its file, its parts opened, interlocks around its relays, its safe state and the proof of it."""


def is_bench_file(bench: str) -> bool:
    """Whether this names a bench file, and not a bench that the package carries."""
    return bench.endswith(".toml") or "/" in bench
