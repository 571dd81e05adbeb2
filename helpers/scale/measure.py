"""Lesson 09 on this machine, with two workers; the records that the lesson shows where it can't run itself:

python -m helpers.scale.measure runs
python -m helpers.scale.measure training
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from multiprocessing import active_children
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import torch
import typer

from helpers import records
from helpers.paths import DATA, REPO_ROOT
from helpers.scale import ScaleError
from helpers.scale.frames import collect_frames
from helpers.scale.local_engine import segment_locally
from helpers.scale.ray_engine import segment_with_ray
from helpers.scale.recorded import RECORD
from helpers.scale.report import Report, read_report
from helpers.scale.storage import RunFolder
from helpers.scale.work import Job, SegmentFrames

PRACTICE = DATA / "camvid_practice"


def many_frames(rounds: int) -> pa.Table:
    """The practice frames, several times over, then under other names."""
    frames = collect_frames(str(PRACTICE / "images"), labels=str(PRACTICE / "labels"))
    if rounds == 1:
        return frames
    column = frames.schema.get_field_index("id")
    return pa.concat_tables(
        frames.set_column(column, "id", pa.array([f"{i}/{key}" for key in frames["id"].to_pylist()]))
        for i in range(rounds)
    )


def measured(job: Job, frames: pa.Table, run: Callable[[RunFolder], object]) -> Report:
    """The report of a run in a folder that is gone afterwards, with the time it took from its start to its end."""
    with tempfile.TemporaryDirectory() as name:
        folder = RunFolder.of(name)
        folder.begin(asdict(job) | {"source": str(PRACTICE / "images"), "labels": str(PRACTICE / "labels")}, frames)
        start = time.perf_counter()
        run(folder)
        seconds = time.perf_counter() - start
        report = read_report(folder)
    kept = ("model", "truth", "scored_as")
    report.settings = {key: report.settings[key] for key in kept} | {"seconds_in_all": round(seconds, 1)}
    return report


def loop(job: Job, frames: pa.Table, folder: RunFolder, *, threads: int) -> None:
    """One process, frame after frame."""
    torch.set_num_threads(threads)
    folder.write_part(SegmentFrames(job, threads=threads)(frames))


def kill_one(killed: list[int]) -> Callable[[int], None]:
    """Progress that kills a worker when the first frames are done."""

    def progress(count: int) -> None:
        if not killed:
            worker = active_children()[0]
            killed.append(worker.pid)
            worker.kill()

    return progress


def killed_and_resumed(job: Job, frames: pa.Table, folder: RunFolder) -> None:
    """Kill the command line when it has written a third of the rows, then give the same command again."""
    options = ["--labels", str(PRACTICE / "labels"), "--workers", "2", "--rows-per-part", "16"]
    command = [sys.executable, "-m", "helpers", "segment-many", str(PRACTICE / "images"), "--out", folder.place.name]
    program = subprocess.Popen(command + options, cwd=REPO_ROOT, stderr=subprocess.DEVNULL)
    while sum(map(len, folder.parts(["id"]))) < len(frames) / 3 and program.poll() is None:
        time.sleep(0.1)
    program.kill()
    program.wait()
    subprocess.run(command + options, cwd=REPO_ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


app = typer.Typer(help=__doc__, add_completion=False)


@app.command()
def runs(rounds: Annotated[int, typer.Option(min=1, help="for the rates: practice frames, so many times")] = 3) -> None:
    """A loop, threads, processes, actors, and runs in which something is killed: data/measured/scale_runs.json."""
    job = Job.of("fcn_street", truth="camvid")
    few, many = many_frames(1), many_frames(rounds)
    killed: list[int] = []
    engines = {"two_processes": segment_locally, "two_actors": segment_with_ray}
    found = {
        "one_thread": measured(job, few, lambda folder: loop(job, few, folder, threads=1)),
        "two_threads": measured(job, few, lambda folder: loop(job, few, folder, threads=2)),
        "killed_worker": measured(
            job, few, lambda folder: segment_locally(few, job, folder, workers=2, batch=8, progress=kill_one(killed))
        ),
        "resumed": measured(job, few, lambda folder: killed_and_resumed(job, few, folder)),
    }
    warm = {}
    for name, engine in engines.items():

        def run(folder: RunFolder, *, frames: pa.Table, engine: Callable = engine) -> None:
            engine(frames, job, folder, workers=2)

        try:
            found[name] = measured(job, few, partial(run, frames=few))
            warm[name] = measured(job, many, partial(run, frames=many)) if rounds > 1 else found[name]
        except ScaleError as error:  # Ray, on a busy machine: the other runs are worth keeping
            typer.echo(f"not recorded: {name}: {error}", err=True)
    rates = {name: warm.get(name, found[name]).rate for name in ("one_thread", "two_threads", *warm)}
    start = {name: found[name].settings["seconds_in_all"] - found[name].seconds for name in rates}
    for name in rates:
        typer.echo(f"{name:<14} {rates[name]:5.1f} frames/s once warm, {start[name]:5.1f} s to start and end")
    record = records.run_record(
        "helpers.scale.measure",
        frames={"runs": len(few), "rates of engines": len(many)},
        frames_per_second=rates,
        seconds_to_start=start,
        two_processes_to_one_thread=rates["two_processes"] / rates["one_thread"],
    )
    records.write(RECORD, record | {"runs": {name: report.as_record() for name, report in found.items()}})


@app.command()
def training(steps: Annotated[int, typer.Option(min=2)] = 24) -> None:
    """The loop in one process and in two, with both kinds of batch normalisation: data/measured/scale_training.json."""
    found = {}
    for statistics in ("fixed", "batch"):
        for processes in (1, 2):
            with tempfile.TemporaryDirectory() as folder:
                command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
                command += [f"--nproc-per-node={processes}", "-m", "helpers.training.distributed", folder]
                command += ["--steps", str(steps), *(["--fixed-statistics"] if statistics == "fixed" else [])]
                subprocess.run(command, cwd=REPO_ROOT, check=True)
                run = records.read("record", folder=Path(folder))
            name = f"{statistics} statistics, {processes} process{'es' if processes > 1 else ''}"
            found[name] = {"crops_per_second": run["images_per_second"], "losses": run["losses"]}
    one, two = (found[f"fixed statistics, {count}"]["crops_per_second"] for count in ("1 process", "2 processes"))
    record = records.run_record("helpers.scale.measure", steps=steps, two_processes_to_one=two / one, runs=found)
    records.write("scale_training", record)


if __name__ == "__main__":
    app()
