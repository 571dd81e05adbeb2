"""What `segment --background` does: persons before something else."""

from pathlib import Path

from helpers import models
from helpers.assets import AssetError
from helpers.cli.console import complain, give_up, say
from helpers.cli.video import is_video
from helpers.images import read_image, save_image

ENDING, VIDEO_ENDING = "_background.png", "_background.mp4"


def replace_backgrounds(
    jobs: dict[Path, Path],
    background: str,
    *,
    model: str = models.PERSON_MODEL,
    size: int | None = None,
    start: float = 0,
    end: float | None = None,
    every: int = 1,
) -> bool:
    """Put the persons of pictures and videos before another background, telling what becomes of each.

    Args:
        jobs: source → result.
        background: "blur", a colour "#rrggbb", or the path of a picture.
        model, size: see `models.load_person`.
        start, end, every: which frames of a video.

    Returns:
        Whether all went well.
    """
    from helpers import backgrounds
    from helpers.backgrounds.video import replace_video

    try:
        if background.startswith("#"):
            behind = backgrounds.parse_colour(background)
        else:
            behind = background if background == "blur" else read_image(background)
        person = models.load_person(model, size=size)
    except (ValueError, OSError, AssetError) as error:
        give_up(error)
    well = True
    for source, result in jobs.items():
        try:
            if is_video(source):
                report = replace_video(
                    source, result, model=person, background=behind, start=start, end=end, every=every
                )
                say(f"{source} → {result.parent / str(report)}")
                continue
            image = read_image(source)
            alpha = backgrounds.soften(image, person.coarse(image))
            save_image(result, backgrounds.replace_background(image, alpha, background=behind))
            say(f"{source} → {result}: person {100 * alpha.mean():.1f} %")
        except (ValueError, OSError, MemoryError) as error:
            complain(error if str(source) in str(error) else f"{source}: {error}")
            well = False
    return well
