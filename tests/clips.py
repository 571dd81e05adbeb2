"""Numbered clips with beeps, with tracks, clocks and containers as cameras and recorders write them."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

FPS = 25


def write_clip(
    path: Path,
    *,
    form: str | None = None,
    codec: str = "libx264",
    sound: str | None = "aac",
    seconds: float = 3,
    size: tuple[int, int] = (32, 64),
    picture_at: float = 0,
    clock: float = 0,
    key_every: int = 25,
    pixel_shape: tuple[int, int] | None = None,
    options: dict | None = None,
) -> Path:
    """Write a clip at 25 frames/s whose frame i shows i in eight bits, and that beeps at the start of each second.

    Args:
        picture_at: seconds by which the picture starts after the sound.
        clock: what the container's clock says at the start.
    """
    with av.open(str(path), "w", format=form, options=options or {}) as file:
        video = file.add_stream(codec, rate=FPS)
        video.height, video.width = size
        video.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        video.codec_context.gop_size = key_every
        if codec == "libx264":
            video.options = {"crf": "10", "preset": "ultrafast"}
        if pixel_shape:
            video.codec_context.sample_aspect_ratio = Fraction(*pixel_shape)
        audio = file.add_stream(sound, rate=48000, layout="mono") if sound else None
        packets = []
        for i in range(int(seconds * FPS)):
            bits = 255 * ((i >> np.arange(8)) & 1).astype(np.uint8)
            image = np.broadcast_to(np.repeat(bits, size[1] // 8)[None, :, None], (*size, 3))
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24").reformat(
                format=video.pix_fmt
            )
            frame.pts, frame.time_base = i, Fraction(1, FPS)
            packets += [(packet, picture_at) for packet in video.encode(frame)]
        packets += [(packet, picture_at) for packet in video.encode()]
        if audio:
            moments = np.arange(int(seconds * 48000)) / 48000
            wave = (np.sin(2000 * np.pi * moments) * (moments % 1 < 0.1)).astype(np.float32)
            for k in range(0, len(wave), 1024):
                frame = av.AudioFrame.from_ndarray(wave[None, k : k + 1024], format="fltp", layout="mono")
                frame.sample_rate, frame.pts, frame.time_base = 48000, k, Fraction(1, 48000)
                packets += [(packet, 0.0) for packet in audio.encode(frame)]
            packets += [(packet, 0.0) for packet in audio.encode()]
        for packet, late in packets:
            ticks = round((late + clock) / packet.time_base)
            packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
        for packet, _ in sorted(packets, key=lambda pair: pair[0].dts * pair[0].time_base):
            file.mux(packet)
    return path


def number(image: np.ndarray) -> int:
    """Which frame of `write_clip` this is."""
    height, width = image.shape[:2]
    return sum(int(image[height // 2, (2 * bit + 1) * width // 16].mean() > 128) << bit for bit in range(8))


def beeps(path: Path) -> list[float]:
    """The seconds at which the sound of a file begins to beep."""
    found, last = [], -1.0
    with av.open(str(path)) as file:
        for frame in file.decode(file.streams.audio[0]):
            for i in np.flatnonzero(np.abs(frame.to_ndarray()[0]) > 0.2):
                moment = frame.time + i / frame.sample_rate
                if moment - last > 0.5:
                    found.append(round(float(moment), 3))
                last = moment
    return found
