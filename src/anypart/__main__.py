"""`python -m anypart`: the same as the `anypart` command."""

import sys

from anypart.terminal.main import main

sys.exit(main())
