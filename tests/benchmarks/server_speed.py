"""The service against a demo that builds its network in each request: python tests/benchmarks/server_speed.py

Runs of the same service, pictures and clients; only what happens to a picture differs. Writes
data/measured/server_speed.json.
"""

import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
import requests
from PIL import Image

from helpers import records
from helpers.server.local import Service, local_service

CLIENTS = 4
TARGET = 10  # times more requests a second than the demo's way
SIZE = (480, 640)


def rebuild() -> Callable:
    """The lesson's network, read from its file for each picture."""
    from helpers.server.worker import load_segmenter  # needs Django's settings: only workers get here

    return lambda image, background, **options: load_segmenter()(image, background, **options)


def rebuild_deeplab() -> Callable:
    """The demo's network, DeepLabV3 on ResNet101, built for each picture; its weights are drawn, not downloaded."""
    import torch
    from torchvision.models.segmentation import deeplabv3_resnet101

    def segment(image: np.ndarray, background: np.ndarray | None, **options: str) -> np.ndarray:
        network = deeplabv3_resnet101(weights=None, weights_backbone=None).eval()
        batch = torch.from_numpy(image).permute(2, 0, 1)[None] / 255
        with torch.no_grad():
            person = network(batch)["out"][0].argmax(0).numpy() == 15
        return np.where(person[..., None], image, 255).astype(np.uint8)

    return segment


# Name → dotted path of the segmenter, pictures to send.
WAYS = {
    "the service": ("helpers.server.worker.load_segmenter", 60),
    "the same network, rebuilt for each picture": ("server_speed.rebuild", 20),
    "the demo's network, rebuilt for each picture": ("server_speed.rebuild_deeplab", 6),
}


def picture() -> bytes:
    """Somebody before a wall, as a JPEG of 480 × 640 pixels: for speed, the shape suffices."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    image = np.random.default_rng(0).integers(90, 130, (*SIZE, 3)).astype(np.uint8)
    image[np.hypot((rows - 180) / 1.3, columns - 320) < 90] = (220, 170, 140)
    image[np.hypot((rows - 480) / 1.2, columns - 320) < 170] = (60, 60, 120)
    file = BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=92)
    return file.getvalue()


def timed(service: Service, number: int) -> dict[str, float]:
    """Requests a second and the 95th percentile of their seconds, of clients that wait for each answer."""
    data = picture()

    def one(_) -> float:
        start = time.perf_counter()
        answer = requests.post(
            f"{service.url}/api/v1/backgrounds/",
            headers={**service.headers, "Prefer": "wait"},
            files={"picture": data},
            data={"mode": "blur"},
            timeout=120,
        )
        if answer.status_code == 202:  # not done within the longest wait
            result = service.url + answer.json()["result"]
            while (answer := requests.get(result, timeout=60)).status_code == 409:
                time.sleep(0.1)
        assert answer.status_code == 200, f"{answer.status_code}: {answer.text[:200]}"
        return time.perf_counter() - start

    one(None)  # the worker has loaded what it loads once
    with ThreadPoolExecutor(CLIENTS) as pool:
        start = time.perf_counter()
        seconds = list(pool.map(one, range(number)))
        rate = number / (time.perf_counter() - start)
    return {"requests_per_second": rate, "p95_seconds": float(np.percentile(seconds, 95))}


def compare() -> dict[str, dict[str, float]]:
    os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    figures = {}
    for name, (segmenter, number) in WAYS.items():
        with tempfile.TemporaryDirectory() as folder, local_service(folder, segmenter=segmenter) as service:
            figures[name] = timed(service, number)
        ratio = figures["the service"]["requests_per_second"] / figures[name]["requests_per_second"]
        print(
            f"{name}: {figures[name]['requests_per_second']:.2f} requests/s, p95 {figures[name]['p95_seconds']:.2f} s; "
            f"the service answers {ratio:.1f}× as many (target against the demo: {TARGET}×)"
        )
    return figures


def main() -> None:
    record = records.run_record(__file__, clients=CLIENTS, picture=SIZE[::-1], ways=compare())
    print("record:", records.write("server_speed", record))


if __name__ == "__main__":
    main()
