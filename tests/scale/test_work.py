"""The class that does the work, and its equality with a plain loop."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import scale_stub
from helpers.evaluation import Evaluation
from helpers.images import read_image
from helpers.labels import CAMVID11
from helpers.masks import read_mask
from helpers.scale import ScaleError
from helpers.scale.frames import collect_frames
from helpers.scale.work import RESULTS, Job, SegmentFrames, load_model, weights_digest


def test_rows_hold_what_a_plain_loop_finds(drive: Path) -> None:
    frames = collect_frames(str(drive), labels=str(drive / "labels"))
    rows = SegmentFrames(scale_stub.SCORED, load=scale_stub.load)(frames)
    assert rows.schema == RESULTS and rows["id"].equals(frames["id"])
    evaluation = Evaluation(CAMVID11, CAMVID11)
    for frame, row in zip(frames.to_pylist(), rows.to_pylist(), strict=True):
        pred = scale_stub.predict(read_image(frame["path"]))
        evaluation.add(pred, read_mask(frame["label"]))
        assert row["pixels"] == np.bincount(pred.ravel(), minlength=11).tolist()
        assert (row["error"], row["model"]) == ("", scale_stub.JOB.digest) and row["seconds"] > 0
    summed = np.sum(rows["confusion"].to_pylist(), 0)
    assert np.array_equal(summed, evaluation.matrix.counts.ravel()) and summed.sum() < 40 * 24  # Void is not counted


def test_a_bad_frame_costs_only_itself(drive: Path, tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    (tmp_path / "broken.png").write_bytes(b"\x89PNG")
    listed.write_text(f"{drive / 'frame_000.png'}\nbroken.png\n{drive / 'frame_001.png'}", encoding="utf-8")
    rows = SegmentFrames(scale_stub.JOB, load=scale_stub.load)(collect_frames(str(listed))).to_pylist()
    assert [bool(row["error"]) for row in rows] == [False, True, False]
    assert "broken.png" in rows[1]["error"] and rows[1]["mask"] is None


def test_a_label_of_another_size_fails_its_frame(drive: Path, tmp_path: Path) -> None:
    frames = collect_frames(str(drive), labels=str(drive / "labels"))[:1]
    column = frames.schema.get_field_index("label")
    frames = frames.set_column(column, "label", [["images/streets/street_sun_P.png"]])
    row = SegmentFrames(scale_stub.SCORED, load=scale_stub.load)(frames).to_pylist()[0]
    assert row["error"] and row["mask"] is None and row["confusion"] is None


def test_a_job_can_be_sent_and_knows_its_weights() -> None:
    job = Job("fcn_street", weights_digest("fcn_street"))
    assert pickle.loads(pickle.dumps(job)) == job and len(job.digest) == 16


def test_other_weights_under_the_same_name_are_refused() -> None:
    with pytest.raises(ScaleError, match="another version"):
        load_model(replace(Job("fcn_street", weights_digest("fcn_street")), digest="0" * 16))
    with pytest.raises(ScaleError, match="no model 'nobody'"):
        weights_digest("nobody")
