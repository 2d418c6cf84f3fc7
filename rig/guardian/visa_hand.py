"""A program that asks one supply whether it is off, or switches it off first, through a VISA library: then it ends.

The guardian has no VISA library in its own process: what hangs in one is ended with this process. Standard input: one
JSON object, `{"supply": ..., "asks_only": ...}`; standard output: the answer as it came; standard error: one line when
that failed (and exit code 4).
"""

from __future__ import annotations

import json
import sys

from rig.clock.system import SystemClock
from rig.errors import ExitCode, RigError
from rig.guardian.charge import SupplySpec
from rig.guardian.strict import from_json
from rig.instruments.link import VisaLink


def main() -> ExitCode:
    order = json.load(sys.stdin)
    try:
        supply = from_json(SupplySpec, order["supply"])
        link = VisaLink(supply.address, SystemClock(), supply.timeout_s, supply.name, clears=False)
        try:
            commands = (supply.question,) if order["asks_only"] else (supply.off, supply.question)
            sys.stdout.write(link.exchange(*commands)[-1])
        finally:
            link.close()
    except RigError as error:
        sys.stderr.write(f"{error.one_line()}\n")
        return error.code
    return ExitCode.PASS


if __name__ == "__main__":
    sys.exit(main())
