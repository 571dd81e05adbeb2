"""Kinds of model files are told by their content, and those that this suite doesn't run are named."""

import io
import pickle
import zipfile

import pytest

from helpers.model_files import GRAPH, TFLITE, TORCH, damage_of, kind_of, objection


def zipped(*names: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return data.getvalue()


FILES = {
    "m.pb": (b"\x0a\x10\x0a\x05input", GRAPH, None),
    "DEEPLAB.TFLITE": (b"\x1c\0\0\0TFL3\0\0", TFLITE, None),
    "named_wrongly.pb": (b"\x1c\0\0\0TFL3\0\0", TFLITE, None),
    "m.pt": (zipped("m/data.pkl", "m/version", "m/data/0"), TORCH, None),
    "learner.pkl": (pickle.dumps({"a": 1}), "pickle", "a pickle, which can hold code"),
    "script.pt": (
        zipped("m/data.pkl", "m/constants.pkl", "m/code/__torch__.py"),
        "torchscript",
        "a TorchScript program",
    ),
    "m.onnx": (b"\x08\x07\x12\x07pytorch\x1a\x03", "onnx", "an ONNX file"),
    "m.h5": (b"\x89HDF\r\n\x1a\n", "keras", "a Keras model"),
    "m.keras": (zipped("config.json", "metadata.json", "model.weights.h5"), "keras", "a Keras model"),
    "m.safetensors": (b"\x40\0\0\0\0\0\0\0" + b'{"a":{}}', "safetensors", "a safetensors file"),
    "m.xml": (b'<?xml version="1.0"?>\n<net name="m">', "openvino", "an OpenVINO model"),
    "page.pb": (b"\n<!DOCTYPE html><html>", "web page", "a web page"),
    "empty.pb": (b"", "empty", "damaged: it is empty"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_what_it_holds(tmp_path, name):
    data, kind, fault = FILES[name]
    (tmp_path / name).write_bytes(data)
    assert kind_of(tmp_path / name) == kind
    assert (objection(tmp_path / name) or "").startswith(f"{tmp_path / name} is {fault}" if fault else "")
    assert bool(objection(tmp_path / name)) == bool(fault)


def test_folders(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"\x08\x01\x12")
    assert "a TensorFlow SavedModel; freeze it" in objection(tmp_path)
    assert "SavedModel" in objection(tmp_path / "saved_model.pb")
    (tmp_path / "frozen_inference_graph.pb").write_bytes(b"\x0a")
    assert kind_of(tmp_path) == GRAPH


def test_the_limit_of_a_model_s_size_can_be_raised(tmp_path, monkeypatch):
    (tmp_path / "m.pb").write_bytes(b"\x0a" + bytes(10**6))
    monkeypatch.setenv("SEGMENTATION_MAX_MODEL_MB", "0.5")
    assert "set SEGMENTATION_MAX_MODEL_MB=2" in objection(tmp_path / "m.pb")
    monkeypatch.setenv("SEGMENTATION_MAX_MODEL_MB", "2")
    assert objection(tmp_path / "m.pb") is None


def test_a_zip_of_a_version_to_come_is_damaged(tmp_path):
    path = tmp_path / "weights.pt"
    with zipfile.ZipFile(path, "w") as parts:
        parts.writestr("weights/data.pkl", bytes(100))
    data = bytearray(path.read_bytes())
    assert damage_of(path) is None and kind_of(path) == TORCH
    data[data.index(b"PK\x01\x02") + 6] = 255  # the version that is needed to read it
    path.write_bytes(data)
    assert "zip file version 25.5" in damage_of(path) and kind_of(path) == TORCH


def test_a_directory_that_points_outside_is_damage(tmp_path):
    path = tmp_path / "weights.pt"
    with zipfile.ZipFile(path, "w") as parts:
        parts.writestr("weights/data.pkl", bytes(100))
    data = bytearray(path.read_bytes())
    end = data.index(b"PK\x05\x06")
    data[end + 16 : end + 20] = (2**32 - 9).to_bytes(4, "little")  # where the directory begins
    path.write_bytes(data)
    assert damage_of(path) == "its directory names places outside of it"
