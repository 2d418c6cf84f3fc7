"""`python -m rig.guardian`: started by the controller only, see `rig.guardian.client`."""

import sys

from rig.guardian.process import main

sys.exit(main(sys.argv[1:]))
