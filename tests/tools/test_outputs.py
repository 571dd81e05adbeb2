"""Outputs are committed small, free of the machine they came from, and unchanged where they say the same."""

import base64
import copy
import io

import numpy as np
import pytest
from nbformat.v4 import new_output
from PIL import Image

from sample_notebook import picture, png, printed, sample_notebook
from tools.authoring.outputs import keep_or_replace, normalise, run_id, same_outputs, small_png


def pixels(encoded: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGB"))


def rerun(text_or_output, *, former):
    """Run a notebook anew whose fifth cell then says something else than formerly; return its outputs."""
    committed, fresh = sample_notebook(), sample_notebook()
    committed.cells[5].outputs, fresh.cells[5].outputs = [former], [text_or_output]
    return keep_or_replace(fresh, keep_or_replace(committed, committed)).cells[5].outputs


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("took 12.3 ms a frame", "took 9 ms a frame"),
        ("  9.5 ms | 30 fps", " 10.5 ms | 8 fps"),
        ("2.0 s", "811 ms"),
        ("20 × faster", "21.5 × faster"),
        ("<Model at 0x7f0000001234>", "<Model at 0x7fffaa001234>"),
    ],
)
def test_timings_and_addresses_alone_change_nothing(before: str, after: str) -> None:
    assert rerun(printed(after), former=printed(before))[0].text == before


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("mIoU 0.51", "mIoU 0.52"),
        ("32 classes", "31 classes"),
        ("took 3 ms", "needed 3 ms"),
        ("5 samples", "6 samples"),
    ],
)
def test_figures_that_say_something_are_renewed(before: str, after: str) -> None:
    assert rerun(printed(after), former=printed(before))[0].text == after


def scene() -> np.ndarray:
    """A picture with smooth areas, an edge and some noise, as photographs have."""
    rows, columns = np.mgrid[:120, :160]
    image = np.stack([rows + 40, columns // 2 + 60, (rows + columns) // 3], axis=2)
    image[60:, 80:] += 60
    return (image + np.random.default_rng(0).integers(0, 6, image.shape)).astype(np.uint8)


def test_a_picture_stays_when_the_new_one_looks_alike() -> None:
    former = picture(scene())
    nearly = picture(scene() + np.random.default_rng(1).integers(0, 2, scene().shape).astype(np.uint8))
    assert rerun(nearly, former=former)[0].data["image/png"] == small_png(former.data["image/png"])


def test_a_picture_with_another_detail_is_renewed() -> None:
    former, changed = picture(scene()), scene()
    changed[10:18, 10:14] = 255  # as large as a digit
    assert (pixels(rerun(picture(changed), former=former)[0].data["image/png"])[10:18, 10:14] > 200).all()
    assert pixels(rerun(picture(scene()[:50]), former=former)[0].data["image/png"]).shape == (50, 160, 3)


def test_a_new_alt_text_is_kept() -> None:
    former = picture(alt="an old description of the figure")
    new = picture(alt="a new description of the figure")
    assert rerun(new, former=former)[0].metadata["image/png"]["alt"] == "a new description of the figure"


def test_outputs_are_kept_or_renewed_as_a_whole() -> None:
    """A timing alone keeps the page; something new in another cell renews the timing, too."""
    committed, fresh = sample_notebook(), sample_notebook()
    committed.cells[5].outputs, fresh.cells[5].outputs = [printed("took 3 ms")], [printed("took 9 ms")]
    committed = keep_or_replace(committed, sample_notebook())
    kept = keep_or_replace(fresh, committed)
    assert kept.cells[5].outputs[0].text == "took 3 ms" and kept.metadata.run == committed.metadata.run
    fresh.cells[9].outputs = [printed("mIoU 0.52")]
    renewed = keep_or_replace(fresh, committed)
    assert renewed.cells[5].outputs[0].text == "took 9 ms"
    assert renewed.metadata.run.id == run_id(renewed) != committed.metadata.run.id


def test_a_page_mixed_from_two_runs_is_renewed() -> None:
    mixed = sample_notebook()
    mixed.cells[9].outputs = [printed("mIoU 0.51")]
    assert mixed.metadata.run.id != run_id(mixed)
    fresh = keep_or_replace(mixed, mixed)
    assert fresh.metadata.run.id == run_id(fresh)


def test_alt_texts_come_from_the_cell() -> None:
    notebook = sample_notebook()
    notebook.cells[5].metadata.alt = 'a street with a "bus"'
    html = '<div data-widget="w0"><img alt="Two pictures" src="data:"></div>'
    notebook.cells[5].outputs[0].data["text/html"] = html
    output = normalise(notebook).cells[5].outputs[0]
    assert output.metadata["image/png"].alt == 'a street with a "bus"'
    assert output.data["text/html"] == html.replace("Two pictures", "a street with a &quot;bus&quot;")


def test_an_error_is_never_taken_for_the_same() -> None:
    error = new_output("error", ename="E", evalue="", traceback=[])
    assert not same_outputs([error], [error])


def test_what_nobody_reads_is_dropped() -> None:
    notebook = sample_notebook()
    cell = notebook.cells[5]
    cell.metadata.update(execution={"iopub.status.busy": "2026-01-01"}, collapsed=False, tags=["a"])
    notebook.metadata.update(widgets={}, kernelspec={"name": "my-env"})
    cell.outputs = [
        printed("one\n"),
        printed("two\n"),
        new_output("display_data", {"application/vnd.jupyter.widget-view+json": {}, "text/plain": "0%"}),
        new_output("stream", name="stderr", text="\r  0%|   | 0/9\r100%|###| 9/9 [00:01<00:00]\n"),
        new_output("stream", name="stdout", text="epoch 1\repoch 2\n"),
    ]
    tidy = normalise(notebook)
    assert [output.text for output in tidy.cells[5].outputs] == ["one\ntwo\n", "epoch 2\n"]
    assert tidy.cells[5].metadata == {"tags": ["a"]}
    assert tidy.metadata.kernelspec.name == "python3" and "widgets" not in tidy.metadata
    assert [c.id for c in tidy.cells] == [c.id for c in notebook.cells]


def test_normalising_twice_is_normalising_once() -> None:
    notebook = sample_notebook()
    photo = np.random.default_rng(1).integers(0, 256, (50, 60, 3)).astype(np.uint8)
    notebook.cells[5].outputs = [picture(photo), printed("a\rb")]
    once = normalise(notebook)
    assert normalise(once) == once == normalise(once)


def test_the_run_itself_is_not_changed() -> None:
    notebook = sample_notebook()
    notebook.cells[5].outputs.append(printed("x\ry"))
    before = copy.deepcopy(notebook)
    normalise(notebook)
    assert notebook == before


def test_small_png_keeps_few_colours_exactly() -> None:
    mask = np.random.default_rng(2).integers(0, 19, (90, 120))
    image = np.random.default_rng(3).integers(0, 256, (19, 3)).astype(np.uint8)[mask]
    encoded = png(image)
    smaller = small_png(encoded)
    assert len(smaller) < len(encoded) and (pixels(smaller) == image).all()


def test_small_png_stays_near_a_photograph() -> None:
    smaller = small_png(png(scene()))
    assert len(smaller) < len(png(scene())) / 2
    assert np.abs(pixels(smaller).astype(int) - scene()).mean() < 8


def test_rare_colours_of_a_legend_survive_a_photograph() -> None:
    """Two oranges that are near each other, in a picture with thousands of colours."""
    image = np.random.default_rng(5).integers(0, 256, (200, 300, 3)).astype(np.uint8)
    image[10:20, 10:20], image[10:20, 30:40], image[40, 40] = (0xE6, 0x9F, 0), (0xD5, 0x5E, 0), (0xE6, 0x9A, 0)
    smaller = pixels(small_png(png(image)))
    assert (smaller[10:20, 10:20] == image[10:20, 10:20]).all() and (smaller[10:20, 30:40] == image[10:20, 30:40]).all()
    kept = pixels(small_png(png(image), keep=["#e69a00"]))
    assert (kept[40, 40] == image[40, 40]).all()


def test_small_png_puts_transparency_on_white() -> None:
    clear = np.random.default_rng(4).integers(0, 256, (40, 40, 4)).astype(np.uint8)
    clear[..., 3] = 0
    assert (pixels(small_png(png(clear))) == 255).all()
