"""Runs of lesson 09 that can be shown where the extra `scale` is missing: recorded in data/measured/scale_runs.json."""

from collections.abc import Callable
from importlib.util import find_spec

from helpers import records
from helpers.scale import ScaleError
from helpers.scale.report import Report

RECORD = "scale_runs"
COMMAND = "python -m helpers.scale.measure runs"
_said: set[str] = set()


def installed(package: str) -> bool:
    """Whether a package is there; the first time that it isn't, says what is shown instead."""
    if find_spec(package):
        return True
    if package not in _said:
        _said.add(package)
        print(f'{package} is not installed (pip install -e ".[scale]"), so recorded runs are shown below')
    return False


def live(name: str, run: Callable[[], Report], *, needs: str = "pyarrow") -> Report:
    """The report of a run, or of its recording where it can't run; says which of them it is.

    Args:
        name: of the recording.
        run: gives the report.
        needs: the package without which it isn't called: "pyarrow", or "ray" for a run on a cluster.

    Raises:
        ScaleError: it can't run, and nothing is recorded.
    """
    if installed(needs):
        try:
            report = run()
            print(f"live, on this machine: {report.text().splitlines()[-1]}")
            return report
        except ScaleError as error:
            print(error)
    try:
        record = records.read(RECORD)
        report = Report.of_record(record["runs"][name])
    except (FileNotFoundError, KeyError):
        raise ScaleError(f"nothing is recorded of {name}; on a machine with {needs}: {COMMAND}") from None
    print(f"recorded on {record['date']}, {record['device']}: {report.text().splitlines()[-1]}")
    return report
