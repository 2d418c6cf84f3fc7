"""A program that prints the VISA resources that pyvisa-py finds, one a line; `# KIND` for each kind that it cannot see.

A process of its own, because the search walks through USB libraries that may hang: so it can be ended. With `--lan` it
also asks the network by broadcast, and waits a second for the answers. Instruments on plain sockets are not found.
"""

from __future__ import annotations

import sys


def main(words: list[str]) -> None:
    import pyvisa
    from pyvisa.constants import InterfaceType
    from pyvisa_py.sessions import Session

    manager = pyvisa.ResourceManager("@py")
    if "--lan" in words:
        names = list(manager.list_resources())
    else:
        local = (InterfaceType.asrl, InterfaceType.usb, InterfaceType.gpib)
        kinds = [kind for (interface, _), kind in Session.iter_valid_session_classes() if interface in local]
        names = [name for kind in kinds for name in kind.list_resources() if name.endswith("::INSTR")]
    for name in names:
        print(name)  # noqa: T201
    for kind in sorted({interface.name for (interface, _), _ in Session.iter_session_classes_issues()}):
        print(f"# {kind}")  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
