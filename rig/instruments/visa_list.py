"""A program that prints the VISA resources that pyvisa-py finds by itself, one a line.

A process of its own, because the search blocks (it waits a second for answers to its VXI-11 broadcast) and walks
through USB libraries that may hang: so it can be ended. Instruments on plain sockets are not found.
"""

from __future__ import annotations


def main() -> None:
    import pyvisa

    for name in pyvisa.ResourceManager("@py").list_resources():
        print(name)  # noqa: T201


if __name__ == "__main__":
    main()
