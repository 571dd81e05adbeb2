"""`segment-many`: masks and scores of more frames than one likes to wait for."""

from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from tqdm import tqdm

from helpers.assets import AssetError
from helpers.cli.console import FAILED, give_up, say
from helpers.labels import LABEL_SETS

if TYPE_CHECKING:
    from helpers.scale.report import Report
    from helpers.scale.storage import RunFolder


class Engine(StrEnum):
    local = "local"
    ray = "ray"


def segment_many(
    source: Annotated[str | None, typer.Argument(help="folder, video, or .txt of paths; here or in a bucket")] = None,
    out: Annotated[str | None, typer.Option(help="folder for the results, here or in a bucket")] = None,
    report: Annotated[str | None, typer.Option(metavar="DIR", help="only show what came of the run in DIR")] = None,
    engine: Annotated[
        Engine, typer.Option(help="processes of this machine, or actors of a Ray cluster")
    ] = Engine.local,
    address: Annotated[
        str | None, typer.Option(help="Ray cluster; auto: the one that runs here; else a new one")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="processes or actors; by default as many as fit")] = None,
    gpus: Annotated[float, typer.Option(min=0, help="GPUs of an actor of Ray, .5 for two on one")] = 0,
    labels: Annotated[str | None, typer.Option(metavar="DIR", help="ground truth: <stem>.png or <stem>_P.png")] = None,
    truth: Annotated[str, typer.Option(help="label set of the ground truth")] = "camvid",
    model: Annotated[str, typer.Option(help="a model's name, or a file")] = "fcn_street",
    size: Annotated[int | None, typer.Option(min=16, help="longest side in pixels that the network sees")] = None,
    rows_per_part: Annotated[int, typer.Option(min=1, help="rows in a file of results")] = 256,
) -> None:
    """Segment and score many frames on all cores or on a cluster.

    Started again after a kill, the same command goes on where it was. A bad frame costs only itself.
    """
    try:
        from helpers.scale.storage import RunFolder
    except ModuleNotFoundError:
        give_up('segment-many needs the extra "scale": pip install -e ".[scale]"')
    try:
        if report:
            _show(RunFolder.of(report))
            return
        if not source or not out:
            give_up("name what to segment and --out DIR for the results, or --report DIR for results that are there")
        if truth not in LABEL_SETS:
            give_up(f"unknown label set {truth!r}; choose one of: {', '.join(LABEL_SETS)}")
        folder = RunFolder.of(out)
        options = {"workers": workers, "rows_per_part": rows_per_part}
        if engine is Engine.ray:
            options |= {"address": address, "gpus": gpus}
        failed = _segment(source, folder, engine, options, labels=labels, truth=truth, model=model, size=size)
    except (ValueError, AssetError) as error:
        give_up(error)
    except OSError as error:
        give_up(f"{error}; what is done is kept, and the same command goes on from there")
    except KeyboardInterrupt:
        give_up("stopped; the same command goes on from there")
    if failed:
        raise typer.Exit(FAILED)


def _segment(source: str, folder: "RunFolder", engine: Engine, options: dict, *, labels, truth, model, size) -> bool:
    """Run the engine on what remains, and show the report; returns whether frames failed."""
    from helpers.scale.frames import collect_frames
    from helpers.scale.work import Job

    frames = collect_frames(source, labels=labels)
    job = Job.of(model, size=size, truth=truth if labels else None)
    folder.begin(asdict(job) | {"source": source, "labels": labels}, frames)
    folder.sweep()
    remaining = folder.remaining(frames)
    if len(remaining) < len(frames):
        say(f"{len(frames) - len(remaining)} of {len(frames)} frames are done already")
    if engine is Engine.ray:
        from helpers.scale.ray_engine import segment_with_ray as run
    else:
        from helpers.scale.local_engine import segment_locally as run
    with tqdm(total=len(frames), initial=len(frames) - len(remaining), unit="frame") as bar:
        run(remaining, job, folder, progress=bar.update, **options)
    return bool(_show(folder).failures)


def _show(folder: "RunFolder") -> "Report":
    from helpers.scale.report import read_report

    found = read_report(folder)
    say(found.text())
    return found
