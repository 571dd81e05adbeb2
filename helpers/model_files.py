"""What kind of model a file holds, judged by its content: names and suffixes say what they like. Loads no framework."""

import errno
import zipfile
import zlib
from pathlib import Path

from helpers.paths import limit, unreadable

# Kinds that this suite runs.
GRAPH, TFLITE, TORCH = "frozen graph", "tflite", "torch"
TORCH_SUFFIXES = (".pt", ".pth")
# Other kinds, and what to do about them.
_FRAME = "this suite runs frozen TensorFlow graphs (.pb, .tar.gz), .tflite files and PyTorch weights (.pt, .pth)"
_OTHERS = {
    "onnx": "an ONNX file",
    "keras": "a Keras model (.keras or .h5)",
    "savedmodel": "a TensorFlow SavedModel; freeze it, or convert it to .tflite with tf.lite.TFLiteConverter",
    "tfcheckpoint": "a TensorFlow checkpoint; export it as a frozen graph, as DeepLab's export_model.py does",
    "torchscript": "a TorchScript program; save its weights with torch.save(model.state_dict(), path)",
    "exported": "a PyTorch exported program (.pt2)",
    "pickle": "a pickle, which can hold code; save weights with torch.save(model.state_dict(), path)",
    "safetensors": "a safetensors file; load it and save it with torch.save(state_dict, path)",
    "openvino": "an OpenVINO model (.xml, .bin)",
    "coreml": "a Core ML model",
    "web page": "a web page, maybe the log-in page of the network; download the model again",
    "empty": "damaged: it is empty",
}


def kind_of(path: str | Path) -> str | None:
    """The kind of model in a file or folder: `GRAPH`, `TFLITE`, `TORCH`, another one, or None where nobody knows."""
    path = Path(path)
    if path.is_dir():
        names = {found.name for found in path.iterdir()}
        if "saved_model.pb" in names and "frozen_inference_graph.pb" not in names:
            return "savedmodel"
        if path.suffix == ".mlpackage":
            return "coreml"
        frozen = any(path.rglob("*.pb"))
        return GRAPH if frozen else "tfcheckpoint" if any(n.endswith(".index") for n in names) else None
    if unreadable(path):
        return None
    with open(path, "rb") as file:
        start = file.read(4096)
    if not start:
        return "empty"
    if start[4:8] == b"TFL3":
        return TFLITE
    if start.startswith(b"PK\x03\x04"):
        return _zipped(path)
    if start.startswith(b"\x89HDF"):
        return "keras"
    if start[:1] == b"\x80" and start[1:2] in b"\x02\x03\x04\x05":
        # PyTorch before 1.6 wrote a row of pickles, the first of them this number.
        return TORCH if b"\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19" in start[:32] else "pickle"
    if start[8:10] == b'{"' and int.from_bytes(start[:8], "little") < 10**8:
        return "safetensors"
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith((b"<!doctype html", b"<html")):
        return "web page"
    if text.startswith((b"<?xml", b"<net")) and b"<net" in text:
        return "openvino"
    if start[:2] == b"\x08\x01" and start[2:3] == b"\x12":
        return "savedmodel"
    if start[:1] == b"\x08" and start[2:3] in (b"\x12", b"\x1a", b"\x3a"):  # ModelProto: ir_version, producer or graph
        return "onnx"
    if path.suffix.lower() in (".tgz", ".gz", ".tar", ".pb") or start[:1] == b"\x0a":
        return GRAPH
    return None


def _zipped(path: Path) -> str | None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.partition("/")[2] or name for name in archive.namelist()} | set(archive.namelist())
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError):
        return TORCH
    if "constants.pkl" in names and any(name.startswith("code/") for name in names):
        return "torchscript"
    if {"config.json", "model.weights.h5"} <= names:
        return "keras"
    if any("serialized_exported_program" in name or name.startswith("models/") for name in names):
        return "exported"
    return TORCH if "data.pkl" in names else None


def is_torch(path: str | Path) -> bool:
    """Whether a file is one of PyTorch's, by its content, or by its name where nobody knows the content."""
    kind = kind_of(path)
    return kind == TORCH or (kind is None and Path(path).suffix.lower() in TORCH_SUFFIXES)


def is_tflite(path: str | Path) -> bool:
    """Whether a file is one for LiteRT, by its content, or by its name where that is damaged."""
    kind = kind_of(path)
    return kind == TFLITE or (kind != TORCH and Path(path).suffix.lower() == ".tflite")


def damage_of(path: str | Path) -> str | None:
    """What is damaged in a zip; torch itself doesn't look at the checksums. None for other files."""
    try:
        with zipfile.ZipFile(path) as parts:
            part = parts.testzip()
    except zipfile.BadZipFile:
        return None  # of before PyTorch 1.6; or whoever reads it will say
    except (zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        return str(error)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return "its directory names places outside of it"
    return f"the checksum of its part {part} is wrong" if part else None


def objection(path: str | Path) -> str | None:
    """Why a file can't be a model of this suite: another kind, or too large; None where it may be one."""
    path = Path(path)
    if (kind := kind_of(path)) in _OTHERS:
        return f"{path} is {_OTHERS[kind]}" + ("" if kind in ("empty", "web page") else f"; {_FRAME}")
    most = limit("SEGMENTATION_MAX_MODEL_MB")
    if path.is_file() and (size := path.stat().st_size / 1e6) > most:
        advice = f"if you trust it, set SEGMENTATION_MAX_MODEL_MB={size + 1:.0f}"
        return f"{path} has {size:.0f} MB, the limit is {most:g}; {advice}"
    return None
