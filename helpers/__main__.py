"""`python -m helpers`: the command line."""

import os
import signal
import sys
import warnings

from helpers.cli import app
from helpers.cli.console import FAILED, complain


def main() -> None:
    """Run the command line on whatever terminal, pipe or file its output goes to."""
    # A terminal or a pipe that knows fewer characters, such as Windows' own, shows "?" instead of stopping us.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")
    warnings.showwarning = lambda message, *_, **__: complain(message, kind="warning")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C, so that nothing is left half done
    try:
        app(prog_name="python -m helpers")
    except OSError as error:  # of a full disk or a closed pipe; all others are caught where they arise
        complain(f"the output can't be written: {error.strerror or error}")
        os._exit(FAILED)  # Python would try to write the rest, and fail again
    finally:
        try:
            sys.stdout.flush()
        except OSError:
            os._exit(FAILED)


if __name__ == "__main__":
    main()
