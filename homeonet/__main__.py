"""``python -m homeonet``: the same as the command ``homeonet``."""

import sys

from homeonet.cli import main

sys.exit(main())
