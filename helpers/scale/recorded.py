"""Runs of lesson 09 that can be shown where the extra `scale` is missing: recorded in data/measured/scale_runs.json."""

from collections.abc import Callable
from importlib.util import find_spec

from helpers import records
from helpers.scale.report import Report

RECORD = "scale_runs"
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
    """The report of a run, or of its recording where a package that it needs is missing; says which of them it is.

    Args:
        name: of the recording.
        run: gives the report; called only if it can work.
        needs: the package: "pyarrow", or "ray" for a run on a cluster.
    """
    if installed(needs):
        report = run()
        print(f"live, on this machine: {report.text().splitlines()[-1]}")
        return report
    record = records.read(RECORD)
    report = Report.of_record(record["runs"][name])
    print(f"recorded on {record['date']}, {record['device']}: {report.text().splitlines()[-1]}")
    return report
