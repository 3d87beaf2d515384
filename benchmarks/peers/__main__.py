"""`python -m benchmarks.peers make`."""

import sys

from benchmarks.peers import home, make

if sys.argv[1:] == ["make"]:
    make()
    print(f"The peers' environments are in {home()}.")
else:
    sys.exit("Write: python -m benchmarks.peers make")
