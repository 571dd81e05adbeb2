"""Train `person_small`: `python -m tools.bundled_models.train_person --portraits build/portraits`.

Needs the folder of real photos that SEGMENTATION_REAL_DATA names (coco_voc/, camvid/), portraits rendered by
tools.practice_portraits, and the package with the encoder's ImageNet weights.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import torch
import typer
from torch.nn import functional as F

from helpers import paths
from helpers.backgrounds.network import PersonNet
from helpers.images import read_image
from helpers.labels import PASCAL_VOC
from helpers.masks import read_mask
from helpers.networks.street_encoder import standardise
from helpers.networks.weights import read_weights
from helpers.training.checkpoints import save_checkpoint
from helpers.training.loop import train

VIEW = 192  # pixels on a side of what the network sees in training
BATCH = 8
# Left out to choose by, never seen by those runs: four of large persons, three of small ones, three of none.
LEFT_OUT = (
    "000000000192",
    "000000000308",
    "000000000428",
    "000000000459",
    "000000000315",
    "000000000510",
    "000000000086",
    "000000000142",
    "000000000349",
    "000000000502",
)
PEDESTRIAN = 9  # CamVid's id
# Views: large persons of the photos, any part of them, photos of nobody, streets, rendered and cut-out persons.
KINDS = {"large": 0.32, "any": 0.08, "nobody": 0.09, "street": 0.05, "render": 0.36, "paste": 0.10}


@dataclass
class Photo:
    """A picture (H, W, 3) uint8, its person's alpha (H, W) uint8, and boxes (x, y, w, h) of its larger persons."""

    image: np.ndarray
    alpha: np.ndarray
    boxes: list[tuple[int, int, int, int]]


def boxes_of(alpha: np.ndarray, smallest: int) -> list[tuple[int, int, int, int]]:
    """The boxes of connected persons that are at least so many pixels high."""
    _, _, stats, _ = cv2.connectedComponentsWithStats((alpha > 127).astype(np.uint8))
    return [tuple(map(int, row[:4])) for row in stats[1:] if row[3] >= smallest and row[4] > smallest**2 / 8]


def read_coco(folder: Path, *, left_out: tuple[str, ...] = ()) -> list[Photo]:
    """The photos with Pascal VOC masks, but those left out."""
    photos = []
    for path in sorted((folder / "images").glob("*.jpg")):
        if path.stem not in left_out:
            alpha = 255 * (read_mask(folder / "masks" / f"{path.stem}.png") == PASCAL_VOC.index("person")).astype(
                np.uint8
            )
            photos.append(Photo(read_image(path), alpha, boxes_of(alpha, 40)))
    return photos


def read_pedestrians(folder: Path) -> list[Photo]:
    """Those frames of CamVid in which somebody stands near enough."""
    photos = []
    for path in sorted((folder / "images").glob("*.jpg")):
        alpha = 255 * (read_mask(folder / "labels" / f"{path.stem}_P.png") == PEDESTRIAN).astype(np.uint8)
        boxes = [box for box in boxes_of(alpha, 70) if box[2] < box[3]]
        if boxes:
            photos.append(Photo(read_image(path), alpha, boxes))
    return photos


def read_portraits(folder: Path) -> list[np.ndarray]:
    """Rendered persons (H, W, 4) uint8: straight colours and alpha."""
    return [
        cv2.cvtColor(cv2.imread(str(p), cv2.IMREAD_UNCHANGED), cv2.COLOR_BGRA2RGBA)
        for p in sorted(folder.glob("*.png"))
    ]


class Views:
    """Random training views: of photos, of rendered persons before photos, of persons cut out of photos."""

    def __init__(self, photos: list[Photo], streets: list[Photo], portraits: list[np.ndarray], extra: list[np.ndarray]):
        self.with_persons = [photo for photo in photos if photo.boxes]
        self.without = [photo for photo in photos if not photo.alpha.any()]
        self.small = [photo for photo in photos if photo.alpha.any() and not photo.boxes]
        self.streets, self.portraits = streets, portraits
        self.backdrops = [photo.image for photo in self.without] + extra

    def sample(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """One view: (VIEW, VIEW, 3) uint8 and alpha (VIEW, VIEW) float32."""
        kind = rng.choice(list(KINDS), p=list(KINDS.values()))
        if kind == "render" and not self.portraits:
            kind = "large"
        if kind in ("large", "street"):
            image, alpha = self._near(_one(self.with_persons if kind == "large" else self.streets, rng), rng)
        elif kind in ("any", "nobody"):
            photo = _one(self.without if kind == "nobody" else self.with_persons + self.small, rng)
            image, alpha = _view(photo.image, photo.alpha, rng, fills=rng.uniform(0.35, 1.0))
        else:
            image, alpha = self._pasted(kind, rng)
        return _lit(image, rng), alpha.astype(np.float32) / 255

    def batch(self, rng: np.random.Generator, progress: float) -> tuple[torch.Tensor, torch.Tensor]:
        """Views (B, 3, VIEW, VIEW) uint8 and their alphas (B, 1, VIEW, VIEW), as the training loop asks for them."""
        images, alphas = zip(*(self.sample(rng) for _ in range(BATCH)), strict=True)
        return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2), torch.from_numpy(np.stack(alphas))[:, None]

    def _near(self, photo: Photo, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """A view in which one person fills 15 to 95 % of the height; theirs may be cut by its edge."""
        box = photo.boxes[rng.integers(len(photo.boxes))]
        return _view(photo.image, photo.alpha, rng, box=box, fills=np.exp(rng.uniform(np.log(0.35), np.log(2.0))))

    def _pasted(self, kind: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        image, _ = _view(_one(self.backdrops, rng), None, rng, fills=rng.uniform(0.3, 1.0))
        if rng.random() < 0.3:
            image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 5))
        total = np.zeros((VIEW, VIEW), np.uint8)
        for _ in range(1 if rng.random() < 0.75 else 2):
            if kind == "render":
                person = _one(self.portraits, rng)
                person = np.dstack([_lit(np.ascontiguousarray(person[..., :3]), rng, rough=False), person[..., 3]])
                layer = _placed(person, rng)
                front, alpha = layer[..., :3], layer[..., 3]
            else:
                front, alpha = self._near(_one(self.with_persons, rng), rng)
                front, alpha = (
                    _lit(front, rng, rough=False),
                    cv2.GaussianBlur(cv2.erode(alpha, np.ones((3, 3))), (0, 0), 1.0),
                )
            weight = alpha.astype(np.float32) / 255
            image = cv2.blendLinear(np.ascontiguousarray(front), image, weight, 1 - weight)
            total = np.maximum(total, alpha)
        return image, total


def _one(things: list, rng: np.random.Generator):
    return things[rng.integers(len(things))]


def _view(image, alpha, rng, *, box=None, fills: float) -> tuple[np.ndarray, np.ndarray]:
    """A turned, scaled, mirrored square view. `fills`: share of it that the box (or, without, the picture) takes."""
    height, width = image.shape[:2]
    if box:
        x, y, w, h = box
        side = max(h, 0.8 * w) / fills
        centre = np.array([x + w * rng.uniform(0.25, 0.75), y + h * rng.uniform(0.3, 0.7)])
        centre += rng.uniform(-0.3, 0.3, 2) * max(0.0, side - max(w, h))
        side = min(side, 1.15 * max(height, width))
    else:
        side = fills * min(height, width) * rng.choice([1.0, 1.4])
        centre = rng.uniform(
            [side / 2, side / 2], [max(width - side / 2, side / 2 + 1), max(height - side / 2, side / 2 + 1)]
        )
    stretch = np.exp(rng.normal(0, 0.1))
    angle = np.radians(rng.normal(0, 8))
    flip = -1 if rng.random() < 0.5 else 1
    scale = VIEW / side
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.diag([flip * scale * stretch, scale / stretch])
    matrix = np.column_stack([matrix, np.array([VIEW, VIEW]) / 2 - matrix @ centre])
    if scale < 0.6:  # warping takes single pixels: shrink first
        small = 2 ** int(np.round(np.log2(1 / scale)))
        image = cv2.resize(image, (width // small, height // small), interpolation=cv2.INTER_AREA)
        matrix[:, :2] *= small
        if alpha is not None:
            alpha = cv2.resize(alpha, (width // small, height // small), interpolation=cv2.INTER_AREA)
    seen = cv2.warpAffine(image, matrix, (VIEW, VIEW), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    if alpha is None:
        return seen, np.zeros((VIEW, VIEW), np.uint8)
    return seen, cv2.warpAffine(alpha, matrix, (VIEW, VIEW), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)


def _placed(person: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A rendered person somewhere in an empty view; its lower edge leaves the view as it leaves the rendering."""
    size = person.shape[0]
    times = np.exp(rng.uniform(np.log(0.65), np.log(2.2)))  # as high as the view
    scale = times * VIEW / size
    angle, flip = np.radians(rng.normal(0, 7)), -1 if rng.random() < 0.5 else 1
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ np.diag(
        [flip * scale, scale]
    )
    bottom = VIEW * (1 + rng.uniform(0, 0.1 + 0.7 * max(0.0, times - 1)))
    place = np.array([VIEW * rng.uniform(0.2, 0.8), bottom]) - matrix @ np.array([size / 2, size])
    layer = person.astype(np.float32)
    layer[..., :3] *= layer[..., 3:] / 255  # premultiplied, so that nothing's colour stays out of it
    layer = cv2.warpAffine(layer, np.column_stack([matrix, place]), (VIEW, VIEW), flags=cv2.INTER_AREA)
    layer[..., :3] *= 255 / np.maximum(layer[..., 3:], 1)
    return np.clip(np.rint(layer), 0, 255).astype(np.uint8)


def _lit(image: np.ndarray, rng: np.random.Generator, *, rough: bool = True) -> np.ndarray:
    """Other exposure, contrast, colours; and, `rough`, blur, noise, JPEG or grey."""
    values = np.arange(256, dtype=np.float32) / 255
    tables = []
    gamma, gain, lift = np.exp(rng.normal(0, 0.25)), np.exp(rng.normal(0, 0.15)), rng.normal(0, 0.04)
    for _ in range(3):
        own = np.clip(
            (values ** (gamma * np.exp(rng.normal(0, 0.07)))) * gain * np.exp(rng.normal(0, 0.06)) + lift, 0, 1
        )
        tables.append(np.rint(255 * own).astype(np.uint8))
    image = cv2.LUT(image, np.stack(tables, 1)[None])
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    saturation = 0.0 if rough and rng.random() < 0.08 else float(np.clip(np.exp(rng.normal(0, 0.3)), 0, 1.8))
    image = cv2.addWeighted(image, saturation, grey, 1 - saturation, 0)
    if not rough:
        return image
    if rng.random() < 0.3:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.6))
    if rng.random() < 0.3:
        noise = rng.normal(0, rng.uniform(2, 12), (VIEW, VIEW, 3)).astype(np.float32)
        image = cv2.add(image, noise, dtype=cv2.CV_8U)
    if rng.random() < 0.3:
        image = cv2.imdecode(cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 90))))[1], 1)
    return image


def batch_loss(network: torch.nn.Module, images: torch.Tensor, alphas: torch.Tensor) -> torch.Tensor:
    """Cross-entropy against the soft target, and one minus the soft IoU, which counts small persons as much."""
    scores = network(standardise(images)).float()
    target = F.interpolate(alphas, size=scores.shape[2:], mode="area")
    entropy = F.binary_cross_entropy_with_logits(scores, target)
    probability = scores.sigmoid()
    shared = (probability * target).sum((1, 2, 3))
    union = (probability + target - probability * target).sum((1, 2, 3))
    present = target.amax((1, 2, 3)) > 0.5
    overlap = (1 - (shared + 1) / (union + 1))[present]
    return entropy + 0.5 * (overlap.mean() if present.any() else 0.0)


def new_network(start: Path | None) -> tuple[PersonNet, list[dict]]:
    """A network with ImageNet's encoder or with other weights, and its parameters for the optimizer."""
    network = PersonNet(imagenet=start is None)
    if start:
        network.load_state_dict(read_weights(start))
    for part in (network.encoder.stem, *network.encoder.stages[:3]):  # edges and textures: nothing new to learn there
        part.requires_grad_(False)
    encoder = [p for p in network.encoder.parameters() if p.requires_grad]
    decoder = [p for name, p in network.named_parameters() if not name.startswith("encoder")]
    return network, [{"params": encoder, "scale": 1 / 3}, {"params": decoder}]


def main(
    portraits: Annotated[Path, typer.Option(help="folder of tools.practice_portraits")] = Path("build/portraits"),
    out: Annotated[Path, typer.Option(help="the weights, in half precision")] = paths.DATA
    / "models"
    / "person_small.pt",
    minutes: Annotated[float, typer.Option(help="of training")] = 12.0,
    rate: Annotated[float, typer.Option(help="highest learning rate")] = 2e-3,
    start: Annotated[Path | None, typer.Option(help="weights to begin with, instead of ImageNet's")] = None,
    run_dir: Annotated[Path | None, typer.Option(help="folder for a checkpoint that a killed run goes on from")] = None,
    leave_out: Annotated[bool, typer.Option("--leave-out", help="keep ten photos for score_person")] = False,
) -> None:
    """Train the bundled person network and write its weights."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    real = paths.real_data()
    if real is None:
        raise SystemExit("set SEGMENTATION_REAL_DATA to the folder with coco_voc/ and camvid/")
    photos = read_coco(real / "coco_voc", left_out=LEFT_OUT if leave_out else ())
    streets = read_pedestrians(real / "camvid")
    extra = [read_image(path) for path in wheel_photos()]
    views = Views(photos, streets, read_portraits(portraits), extra)
    print(
        f"photos: {len(views.with_persons)} of persons, {len(views.small)} of small ones, {len(views.without)} of none"
    )
    print(f"streets {len(streets)}, portraits {len(views.portraits)}, other backdrops {len(extra)}", flush=True)
    torch.manual_seed(0)
    network, groups = new_network(start)
    run = train(
        network,
        views.batch,
        batch_loss,
        minutes=minutes,
        folder=run_dir,
        data=[path.stem for path in sorted(portraits.glob("*.png"))],
        settings={"leave_out": leave_out},
        rate=rate,
        groups=groups,
        clip=5.0,
        decay=0.99,
        compute="channels_last",
    )
    print(f"{run.step} steps of {BATCH} views, loss {np.mean(run.losses[-50:]):.3f}", flush=True)
    network = run.network
    out.parent.mkdir(parents=True, exist_ok=True)
    save_checkpoint(
        out, {key: value.half() if value.is_floating_point() else value for key, value in network.state_dict().items()}
    )


def wheel_photos() -> list[Path]:
    """Photographs without persons that scikit-image and scikit-learn carry."""
    import skimage
    import sklearn

    names = (
        "chelsea.png",
        "coffee.png",
        "rocket.jpg",
        "motorcycle_left.png",
        "hubble_deep_field.jpg",
        "brick.png",
        "grass.png",
        "gravel.png",
    )
    found = [Path(skimage.__file__).parent / "data" / name for name in names]
    found += [Path(sklearn.__file__).parent / "datasets" / "images" / name for name in ("china.jpg", "flower.jpg")]
    return [path for path in found if path.exists()]


if __name__ == "__main__":
    typer.run(main)
