"""Video: read frames, write what browsers play, segment a clip, show it in a notebook.

Nothing here knows of a network: a model is any function from a picture to a mask.
"""

from helpers.video.display import preview_png, show_preview, show_video
from helpers.video.pipeline import VideoReport, segment_video
from helpers.video.reader import VideoError, VideoInfo, VideoReader, camera_frames, read_frames
from helpers.video.views import VIEWS, FrameView
from helpers.video.writer import VideoWriter, write_video

__all__ = [
    "VIEWS",
    "FrameView",
    "VideoError",
    "VideoInfo",
    "VideoReader",
    "VideoReport",
    "VideoWriter",
    "camera_frames",
    "preview_png",
    "read_frames",
    "segment_video",
    "show_preview",
    "show_video",
    "write_video",
]
