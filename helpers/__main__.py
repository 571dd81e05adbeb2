"""`python -m helpers`: the command line."""

import sys

from helpers.cli import app

if __name__ == "__main__":
    # A terminal or a pipe that knows fewer characters, such as Windows' own, shows "?" instead of stopping us.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")
    app(prog_name="python -m helpers")
