"""`python -m rig` is the command `rig`."""

import sys

from rig.cli import main

sys.exit(main())
