"""What `segment` does with video files."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from helpers.cli.console import complain, say
from helpers.models import Model

# What videos that FFmpeg reads are called.
VIDEO_SUFFIXES = (
    ".mp4",
    ".mov",
    ".m4v",
    ".avi",
    ".mkv",
    ".webm",
    ".mpg",
    ".mpeg",
    ".m1v",
    ".m2v",
    ".vob",
    ".ts",
    ".m2ts",
    ".m2t",
    ".mts",
    ".wmv",
    ".asf",
    ".flv",
    ".f4v",
    ".3gp",
    ".3g2",
    ".ogv",
    ".ogg",
    ".ogm",
    ".mk3d",
    ".mxf",
    ".nut",
    ".dv",
    ".mjpeg",
    ".mjpg",
    ".y4m",
    ".h264",
    ".264",
    ".h265",
    ".265",
    ".hevc",
    ".ivf",
    ".obu",
    ".rm",
    ".rmvb",
    ".divx",
    ".amv",
    ".mj2",
    ".ismv",
    ".qt",
)


def is_video(path: Path) -> bool:
    """Whether a path is named like a video."""
    return path.suffix.lower() in VIDEO_SUFFIXES


@dataclass(frozen=True)
class VideoOptions:
    """How videos are segmented, see `helpers.video.segment_video`."""

    view: str
    palette: str
    alpha: float
    start: float
    end: float | None
    every: int
    workers: int


def segment_videos(jobs: Iterable[tuple[Path, Path]], model: Model, options: VideoOptions) -> bool:
    """Segment videos one after the other, telling what becomes of each.

    Args:
        jobs: (source, result) paths.
        model: gives a picture's mask.
        options: how.

    Returns:
        Whether all went well.
    """
    from helpers.video import segment_video

    well = True
    for source, result in jobs:
        try:
            report = segment_video(model.predict, source, result, label_set=model.labels, **vars(options))
        except (ValueError, OSError, MemoryError) as error:
            complain(error if str(source) in str(error) else f"{source}: {error}")
            well = False
        except KeyboardInterrupt:
            tqdm.write(f"stopped; {result} is not written")
            raise
        else:
            say(f"{source} → {result.parent / str(report)}")
    return well
