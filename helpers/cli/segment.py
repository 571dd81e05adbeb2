"""`segment`: masks and overlays of pictures, whole folders and videos."""

import os
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from filelock import SoftFileLock, Timeout
from tqdm import tqdm

from helpers import models
from helpers.assets import AssetError
from helpers.cli.background import ENDING as BACKGROUND_ENDING
from helpers.cli.background import VIDEO_ENDING, replace_backgrounds
from helpers.cli.console import FAILED, complain, give_up, say
from helpers.cli.video import VIDEO_SUFFIXES, VideoOptions, is_video, segment_videos
from helpers.datasets.pairing import image_files
from helpers.images import read_image, save_image
from helpers.labels import LabelSet
from helpers.masks import overlay, save_mask
from helpers.paths import MISSING, unreadable

ENDINGS = ("_mask.png", "_overlay.png")
LONGEST_NAME = 220  # bytes, without the ending


class Palette(StrEnum):
    official = "official"
    colorblind = "colorblind"


class View(StrEnum):
    overlay = "overlay"
    map = "map"
    side = "side"


def segment(
    inputs: Annotated[list[Path], typer.Argument(metavar="PATH...", help="pictures, videos, or folders of pictures")],
    model: Annotated[str, typer.Option(help="a checkpoint's name, or a file")] = models.DEFAULT_MODEL,
    labels: Annotated[str | None, typer.Option(help="label set of a model that nobody knows, e.g. voc")] = None,
    out: Annotated[Path, typer.Option(help="folder for the results")] = Path("segmented"),
    size: Annotated[int | None, typer.Option(min=1, help="longest side in pixels that the network sees")] = None,
    alpha: Annotated[float, typer.Option(min=0, max=1, help="strength of the colours in the overlay")] = 0.5,
    palette: Annotated[Palette, typer.Option(help="class colours")] = Palette.official,
    engine: Annotated[str, typer.Option(help="auto (fastest), tensorflow, openvino, openvino-bf16, litert")] = "auto",
    view: Annotated[View, typer.Option(help="videos: colours over the picture, alone, or beside it")] = View.overlay,
    start: Annotated[float, typer.Option(min=0, help="videos: seconds to skip")] = 0,
    end: Annotated[float | None, typer.Option(min=0, help="videos: second to stop at")] = None,
    every: Annotated[int, typer.Option(min=1, help="videos: use one frame in so many")] = 1,
    background: Annotated[
        str | None, typer.Option(help="put persons before a picture (file) or colour (#rrggbb), or blur")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="replace results that are there")] = False,
) -> None:
    """Write <name>_mask.png (class ids, with colours as a palette) and <name>_overlay.png for each picture.

    Of a video, write <name>_overlay.mp4, or _map or _side with --view. With --background, write <name>_background.png
    or .mp4 instead.
    """
    failed = False
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        give_up(f"cannot make the folder {out}: {error.strerror}")
    if not os.access(out, os.W_OK):
        give_up(f"the folder {out} cannot be written to; name another with --out")
    pictures, problems = find_pictures(inputs, out)
    for problem in problems:
        complain(problem)
        failed = True
    if background is not None:
        person_model = models.PERSON_MODEL if model == models.DEFAULT_MODEL else model
        jobs = _background_jobs(pictures, out, force=force)
        options = {"size": size, "start": start, "end": end, "every": every}
        if not (replace_backgrounds(jobs, background, model=person_model, **options) and not failed):
            raise typer.Exit(FAILED)
        return
    jobs, video_jobs = [], []
    videos = [path for path in pictures if is_video(path)]
    for video, name in name_results(videos, out, endings=(f"_{view}.mp4",)).items():
        target = out / f"{name}_{view}.mp4"
        if force or not target.exists():
            video_jobs.append((video, target))
        else:
            say(f"{video}: kept {target}, which is there already; --force replaces it")
    for picture, name in name_results([path for path in pictures if path not in videos], out).items():
        if name != picture.stem:
            why = f"the name {picture.stem} is taken" if shortened(picture.stem) == picture.stem else "a long name"
            say(f"{picture}: {why}, so its results are called {name}")
        targets = [out / f"{name}{ending}" for ending in ENDINGS]
        if folders := [target for target in targets if target.is_dir()]:
            complain(f"{picture}: {folders[0]} is a folder, so there is no place for a result of that name")
            failed = True
            continue
        wanted = targets if force else [target for target in targets if not target.exists()]
        if wanted:
            jobs.append((picture, targets, wanted))
        else:
            say(f"{picture}: kept {targets[0]} and {targets[1].name}, which are there already; --force replaces them")
    if jobs or video_jobs:
        try:
            # OpenVINO runs several frames of a video side by side; the other engines share one picture among all cores.
            workers = min(4, os.cpu_count() or 1) if video_jobs and engine.startswith(("auto", "openvino")) else 1
            network = models.load(model, labels, size=size, engine=engine, streams=workers)
        except (ValueError, OSError, AssetError) as error:
            give_up(error)
        label_set = network.labels
        colors = label_set.palette(palette)
        for picture, (mask_path, overlay_path), wanted in tqdm(jobs, unit="picture", disable=len(jobs) < 2):
            try:
                image = read_image(picture)
                mask = network.predict(image)
                blended = overlay(image, mask, colors, alpha=alpha, ignore_index=label_set.ignore_index)
                with claimed(mask_path, wanted, force=force):
                    if mask_path in wanted:
                        save_mask(mask_path, mask, colors)
                    if overlay_path in wanted:
                        save_image(overlay_path, blended)
            except (ValueError, OSError, MemoryError) as error:
                complain(error if str(picture) in str(error) else f"{picture}: {error}")
                failed = True
            else:
                say(f"{picture} → {', '.join(map(str, wanted))}: {class_shares(mask, label_set)}")
        options = VideoOptions(view, palette, alpha, start, end, every, workers)
        failed = not segment_videos(video_jobs, network, options) or failed
    if failed:
        raise typer.Exit(FAILED)


@contextmanager
def claimed(mask_path: Path, wanted: list[Path], *, force: bool) -> Iterator[None]:
    """Mask and overlay of one picture, without those of another run in between, which may have a picture of that name.

    Raises:
        ValueError: another run has written one of them since this one began.
        OSError: another run holds the name, for a minute.
    """
    try:
        with SoftFileLock(mask_path.with_name(f".{mask_path.name[:200]}.lock"), timeout=60):
            if not force and (taken := [path for path in wanted if path.exists()]):
                raise ValueError(
                    f"another run has just written {taken[0]}, which is kept; name another folder by --out"
                )
            yield
    except Timeout as error:
        raise OSError(f"another run is writing {mask_path}; if there is none, delete {error.lock_file}") from error


def _background_jobs(sources: list[Path], out: Path, *, force: bool) -> dict[Path, Path]:
    """Source → result of `--background`, without those that are there already."""
    jobs = {}
    for source, name in name_results(sources, out, endings=(BACKGROUND_ENDING, VIDEO_ENDING)).items():
        result = out / f"{name}{VIDEO_ENDING if is_video(source) else BACKGROUND_ENDING}"
        if force or not result.exists():
            jobs[source] = result
        else:
            say(f"{source}: kept {result}, which is there already; --force replaces it")
    return jobs


def find_pictures(inputs: Iterable[Path], out: Path) -> tuple[list[Path], list[str]]:
    """The pictures that were named, each once, and what is wrong with the rest.

    Of a folder all pictures are taken, but not those in folders below it, nor our own earlier results.
    """
    pictures, problems = {}, []
    for path in inputs:
        try:
            found = _pictures_in(path, out) if path.is_dir() else [path]
        except OSError as error:
            problems.append(f"{path}: cannot be read: {error.strerror or error}")
            continue
        if not found:
            problems.append(f"{path}: there are no pictures in this folder")
        for picture in found:
            if reason := unreadable(picture):
                missing = "there is no such file or folder" if reason == MISSING else reason
                problems.append(f"{picture}: {missing}")
            else:
                pictures.setdefault(picture.resolve(), picture)
    return list(pictures.values()), problems


def _pictures_in(folder: Path, out: Path) -> list[Path]:
    found = image_files(folder)
    rest = Counter(
        path.suffix.lower() or "no suffix"
        for path in folder.iterdir()
        if path not in found and not path.name.startswith(".") and not path.is_dir()
    )
    if rest:
        kinds = ", ".join(f"{count} {suffix}" for suffix, count in sorted(rest.items()))
        hint = "; name videos one by one" if any(suffix in VIDEO_SUFFIXES for suffix in rest) else ""
        say(f"{folder}: {rest.total()} other files left out ({kinds}){hint}")
    if folder.resolve() == out.resolve():
        found = [picture for picture in found if not picture.name.endswith((*ENDINGS, BACKGROUND_ENDING))]
    return found


def name_results(pictures: list[Path], out: Path, *, endings: tuple[str, ...] = ENDINGS) -> dict[Path, str]:
    """A name for each picture's results: its stem, or a longer name where another picture has that stem.

    No two pictures share a name (also not on systems that take x and X for the same), and no result lands on a
    picture that is to be read.
    """
    inputs = {str(picture.resolve()).casefold() for picture in pictures}
    names, taken = {}, set()

    def is_free(name: str) -> bool:
        results = {str((out / f"{name}{ending}").resolve()).casefold() for ending in endings}
        return name.casefold() not in taken and not results & inputs

    for picture in pictures:
        longer = f"{picture.absolute().parent.name}_{picture.stem}_{picture.suffix[1:]}"
        counted = (f"{longer}_{i}" for i in range(2, len(pictures) + 2))
        name = next(name for name in map(shortened, (picture.stem, longer, *counted)) if is_free(name))
        names[picture] = name
        taken.add(name.casefold())
    return names


def shortened(name: str) -> str:
    """A name that leaves room for an ending in the 255 bytes of a file name; where it is cut, a hash tells it apart."""
    data = os.fsencode(name)
    if len(data) <= LONGEST_NAME:
        return name
    return os.fsdecode(data[: LONGEST_NAME - 9]).encode("utf-8", "ignore").decode() + f"_{zlib.crc32(data):08x}"


def class_shares(mask: np.ndarray, label_set: LabelSet) -> str:
    """The classes of a mask with their shares of the pixels, largest first.

    >>> from helpers.labels import CITYSCAPES
    >>> class_shares(np.array([[0, 0, 0, 13]]), CITYSCAPES)
    'road 75.0 %, car 25.0 %'
    """
    ids, counts = np.unique(mask, return_counts=True)
    names = [label_set.class_names[i] if i < label_set.num_classes else "ignored" for i in ids]
    order = np.argsort(-counts, kind="stable")
    return ", ".join(f"{names[i]} {100 * counts[i] / mask.size:.1f} %" for i in order)
