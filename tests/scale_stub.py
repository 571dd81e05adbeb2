"""A model without a framework, and ways in which it goes wrong; the engines' processes import this file."""

import os
import signal
import time
from pathlib import Path

import numpy as np

from helpers.labels import CAMVID11
from helpers.models import Model
from helpers.scale.work import Job

JOB = Job("stub", "0123456789abcdef")
SCORED = Job("stub", "0123456789abcdef", truth="camvid11", scored_as="camvid11")


def predict(image: np.ndarray) -> np.ndarray:
    """The red channel's upper bits as class ids 0–10."""
    return (image[..., 0] // 25).astype(np.uint8)


def load(job: Job) -> Model:
    return Model("stub", predict, CAMVID11)


def slow(image: np.ndarray) -> np.ndarray:
    time.sleep(0.2)
    return predict(image)


def load_slow(job: Job) -> Model:
    return Model("stub", slow, CAMVID11)


def load_fails(job: Job) -> Model:
    raise ValueError("there is no model here")


def load_dies(job: Job) -> Model:
    os.kill(os.getpid(), signal.SIGKILL)


def kills_always(image: np.ndarray) -> np.ndarray:
    """Picture 7 (its blue channel says so) kills whoever looks at it."""
    if image[0, 0, 2] == 7:
        os.kill(os.getpid(), signal.SIGKILL)
    return predict(image)


def load_killer(job: Job) -> Model:
    return Model("stub", kills_always, CAMVID11)


class KillsOnce:
    """The worker that gets picture 7 first is killed, the next is not; a file remembers it."""

    def __init__(self, marker: Path):
        self.marker = marker

    def __call__(self, job: Job) -> Model:
        return Model("stub", self.predict, CAMVID11)

    def predict(self, image: np.ndarray) -> np.ndarray:
        if image[0, 0, 2] == 7 and not self.marker.exists():
            self.marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return predict(image)
