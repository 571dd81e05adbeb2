"""Ray actors: same result as one process, whatever is killed on the way. A cluster of two nodes on this machine."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import scale_stub
from helpers.scale import ScaleError, ray_engine
from helpers.scale.frames import collect_frames
from helpers.scale.ray_engine import segment_with_ray
from helpers.scale.report import read_report
from helpers.scale.storage import RunFolder
from helpers.scale.work import SegmentFrames

pytestmark = pytest.mark.slow
pytest.importorskip("ray", reason='the extra "scale" is not installed')

PROGRAM = """
import scale_stub
from helpers.scale import ScaleError, ray_engine
from helpers.scale.frames import collect_frames
from helpers.scale.storage import RunFolder

frames = collect_frames({drive!r}, labels={labels!r})
folder = RunFolder.of({out!r})
folder.begin({settings!r}, frames)
ray_engine.segment_with_ray(
    frames, scale_stub.SCORED, folder, workers=1, address={address!r}, batch=2, rows_per_part=2,
    load=scale_stub.load_slow
)
"""
SETTINGS = {"truth": "camvid11", "scored_as": "camvid11"}


class TwoNodes:
    """A head with one CPU and a second node with one."""

    def __init__(self):
        from ray.cluster_utils import Cluster

        small = {"num_cpus": 1, "object_store_memory": 100 * 2**20}
        self.cluster = Cluster(initialize_head=True, head_node_args=small | {"include_dashboard": False})
        self.second = self.cluster.add_node(**small)
        self.cluster.wait_for_nodes()
        self.address = self.cluster.address


@pytest.fixture(scope="module")
def nodes() -> Iterator[TwoNodes]:
    paths = os.pathsep.join(filter(None, sys.path))  # where the actors find scale_stub
    settings = {**ray_engine.SETTINGS, "RAY_AUTH_MODE": "disabled", "PYTHONPATH": paths}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        nodes = TwoNodes()
        yield nodes
        nodes.cluster.shutdown()


def run(drive: Path, out: Path, nodes: TwoNodes, load: Callable = scale_stub.load, **options) -> RunFolder:
    frames = collect_frames(str(drive), labels=str(drive / "labels"))
    folder = RunFolder.of(out)
    folder.begin(SETTINGS, frames)
    folder.sweep()
    remaining = folder.remaining(frames)
    options = {"workers": 2, "batch": 4} | options
    segment_with_ray(remaining, scale_stub.SCORED, folder, address=nodes.address, load=load, **options)
    return folder


@pytest.fixture(scope="module")
def plain_counts(drive: Path) -> np.ndarray:
    frames = collect_frames(str(drive), labels=str(drive / "labels"))
    rows = SegmentFrames(scale_stub.SCORED, load=scale_stub.load)(frames)
    return np.sum(rows["confusion"].to_pylist(), 0).reshape(11, 12)


def assert_exactly_once(folder: RunFolder, plain_counts: np.ndarray) -> None:
    report = read_report(folder)
    assert (report.rows, report.done, report.failures) == (40, 40, [])
    assert np.array_equal(report.matrix.counts, plain_counts)


def test_a_killed_actor_is_replaced(drive: Path, tmp_path: Path, nodes: TwoNodes, plain_counts: np.ndarray) -> None:
    """As many actors as CPUs, too: the tasks that write must not wait for one."""
    told = []
    load = scale_stub.KillsOnce(tmp_path / "marker")
    folder = run(drive, tmp_path / "run", nodes, load, progress=told.append)
    assert (tmp_path / "marker").exists() and sum(told) == 40
    assert_exactly_once(folder, plain_counts)


def test_a_killed_driver_goes_on_when_started_again(
    drive: Path, tmp_path: Path, nodes: TwoNodes, plain_counts: np.ndarray
) -> None:
    program = tmp_path / "program.py"
    out = tmp_path / "run"
    program.write_text(
        PROGRAM.format(
            drive=str(drive), labels=str(drive / "labels"), out=str(out), address=nodes.address, settings=SETTINGS
        )
    )
    process = subprocess.Popen([sys.executable, str(program)], stderr=subprocess.DEVNULL)
    while not len(list(RunFolder.of(out).parts(["id"]))) >= 2:
        assert process.poll() is None, "it ended too early to be killed"
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert read_report(RunFolder.of(out)).done < 40
    assert_exactly_once(run(drive, out, nodes), plain_counts)


def test_more_workers_than_cpus_are_refused_and_do_not_hang(drive: Path, tmp_path: Path, nodes: TwoNodes) -> None:
    with pytest.raises(ScaleError, match="3 workers don't fit on a cluster of 2 CPUs and 0 GPUs; at most 2 do"):
        run(drive, tmp_path, nodes, workers=3)
    with pytest.raises(ScaleError, match="at most 0 do"):
        run(drive, tmp_path, nodes, workers=None, gpus=1)


def test_a_worker_without_the_model_ends_the_run_in_one_line(drive: Path, tmp_path: Path, nodes: TwoNodes) -> None:
    with pytest.raises(ScaleError, match="there is no model here") as error:
        run(drive, tmp_path, nodes, scale_stub.load_fails)
    assert "\n" not in str(error.value)


def test_nobody_at_the_address_is_said(drive: Path, tmp_path: Path) -> None:
    frames = collect_frames(str(drive))
    with pytest.raises(ScaleError, match="no Ray cluster at 127.0.0.1:1"):
        segment_with_ray(frames, scale_stub.JOB, RunFolder.of(tmp_path), address="127.0.0.1:1")


def test_a_killed_node_takes_nothing_with_it(
    drive: Path, tmp_path: Path, nodes: TwoNodes, plain_counts: np.ndarray
) -> None:
    """The last test: the node stays dead."""

    killed = []

    def once(count: int) -> None:
        if not killed:
            killed.append(nodes.cluster.remove_node(nodes.second, allow_graceful=False))

    folder = run(drive, tmp_path, nodes, scale_stub.load_slow, batch=2, rows_per_part=2, progress=once)
    assert killed
    assert_exactly_once(folder, plain_counts)
