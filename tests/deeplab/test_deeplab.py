"""Loading and running DeepLab graphs."""

import os
import subprocess
import sys

import numpy as np
import pytest

from graphs import blocks, class_colors, graph_bytes, nearest_class, tarball
from helpers.deeplab import DeepLabModel, GraphError, load_graph, segment, segment_folded
from helpers.deeplab.engines.allowed_ops import ALLOWED_OPS
from helpers.images import fit_within, read_image, resize_image
from helpers.labels import ADE20K, CAMVID11, CITYSCAPES, PASCAL_VOC
from helpers.masks import read_mask


@pytest.fixture(scope="module")
def plain():
    """A graph of 19 classes that takes any size."""
    return graph_bytes(19)


@pytest.fixture(scope="module")
def padded():
    """A graph of 21 classes that pads to 50×60, and fails beyond."""
    return graph_bytes(21, crop=(50, 60))


@pytest.fixture
def noise():
    return np.random.default_rng(0).integers(0, 256, (37, 53, 3), np.uint8)


def write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_pb_tarball_and_folder_hold_the_same_graph(tmp_path, plain, noise):
    expected = nearest_class(noise, class_colors(19))
    places = [
        write(tmp_path / "a.pb", plain),
        write(tmp_path / "b.tar.gz", tarball(plain)),
        write(tmp_path / "folder" / "deep" / "frozen_inference_graph.pb", plain).parents[1],
    ]
    before = sorted(tmp_path.rglob("*"))
    for place in places:
        mask = load_graph(place, labels="cityscapes")(noise)
        assert mask.dtype == np.uint8
        np.testing.assert_array_equal(mask, expected)
    assert sorted(tmp_path.rglob("*")) == before  # nothing was unpacked


def test_logits_are_what_the_argmax_chose_from(tmp_path, padded, noise):
    graph = load_graph(write(tmp_path / "g.pb", padded))
    logits = graph.logits(noise)
    assert logits.shape == (37, 53, 21) and logits.dtype == np.float32  # without the padding
    np.testing.assert_array_equal(logits.argmax(-1), graph(noise))
    colors = class_colors(21)
    np.testing.assert_allclose(logits[3, 4], 2 * colors @ noise[3, 4] - (colors**2).sum(1), rtol=1e-5)


def test_logits_of_a_coarse_graph_cover_the_picture_and_not_the_padding(tmp_path, noise):
    graph = load_graph(write(tmp_path / "g.pb", graph_bytes(5, crop=(50, 60), stride=2)))
    assert graph.logits(noise).shape == (19, 27, 5)
    assert graph(noise).shape == (37, 53)


def test_the_input_limit_is_read_from_the_graph(tmp_path, plain, padded):
    assert load_graph(write(tmp_path / "g.pb", padded)).input_limit == (50, 60)
    assert load_graph(write(tmp_path / "h.pb", plain)).input_limit is None


def test_a_picture_beyond_the_limit_is_named_and_segment_resizes_it(tmp_path, padded):
    graph = load_graph(write(tmp_path / "g.pb", padded))
    ids = np.arange(20).reshape(4, 5)
    image = blocks(ids, class_colors(21), side=60)  # 240×300: five times the limit or more
    with pytest.raises(GraphError, match=r"240×300.*50×60.*segment"):
        graph(image)
    mask = segment(graph, image)
    assert mask.shape == (240, 300)
    np.testing.assert_array_equal(mask[30::60, 30::60], ids)  # the squares' centres
    assert set(np.unique(mask)) <= set(range(21))


@pytest.mark.parametrize("shape", [(300, 20), (20, 300), (1, 1), (1, 200), (50, 60), (51, 60)])
def test_segment_gives_the_picture_s_size_whatever_its_shape(tmp_path, padded, shape):
    graph = load_graph(write(tmp_path / "g.pb", padded))
    assert segment(graph, np.zeros((*shape, 3), np.uint8)).shape == shape


def test_max_size_is_the_longest_side_that_the_network_sees(tmp_path, plain, noise):
    graph = load_graph(write(tmp_path / "g.pb", plain))
    np.testing.assert_array_equal(segment(graph, noise, max_size=53), graph(noise))
    small = nearest_class(resize_image(noise, (18, 26)), class_colors(19))
    np.testing.assert_array_equal(segment(graph, noise, max_size=26)[1::2, 1::2], small[:18, :26])
    with pytest.raises(GraphError, match="max_size is 0"):
        segment(graph, noise, max_size=0)


def test_deeplab_model_runs_arrays_and_pillow_pictures(tmp_path, plain, noise):
    from PIL import Image

    model = DeepLabModel(write(tmp_path / "g.pb", plain), labels=CITYSCAPES)
    expected = nearest_class(noise, class_colors(19))
    np.testing.assert_array_equal(model.run(noise), expected)
    np.testing.assert_array_equal(model.run(Image.fromarray(noise)), expected)


# ---- what the ids mean


def test_an_unknown_graph_gets_numbered_classes_in_different_colours(tmp_path, plain):
    labels = load_graph(write(tmp_path / "g.pb", plain)).labels
    assert labels.class_names == tuple(f"class {i}" for i in range(19))
    assert len(np.unique(labels.colors, axis=0)) == 19


def test_labels_are_taken_by_key_or_refused(tmp_path, plain):
    path = write(tmp_path / "g.pb", plain)
    assert load_graph(path, labels="cityscapes").labels is CITYSCAPES
    with pytest.raises(GraphError, match="unknown label set 'city'; choose one of cityscapes, voc"):
        load_graph(path, labels="city")
    with pytest.raises(GraphError, match="tells 19 classes apart, but Pascal VOC has 21"):
        load_graph(path, labels=PASCAL_VOC)


def test_ade20k_outputs_are_shifted_by_one_and_0_becomes_ignored(tmp_path):
    colors = class_colors(151)
    outputs = np.array([[0, 1, 2], [149, 150, 77]])
    graph = load_graph(write(tmp_path / "g.pb", graph_bytes(151)), labels=ADE20K)
    image = colors[outputs].astype(np.uint8)
    assert graph(image).tolist() == [[255, 0, 1], [148, 149, 76]]
    assert graph.logits(image).shape == (2, 3, 150)
    assert graph.logits(image)[1, 1].argmax() == 149
    assert graph.num_classes == 150


# ---- what is refused


@pytest.mark.parametrize("op", ["ReadFile", "WriteFile", "PyFunc", "ImmutableConst"])
def test_a_graph_with_file_or_python_operations_is_refused(tmp_path, op):
    with pytest.raises(GraphError, match=f"refused: it contains {op}"):
        load_graph(write(tmp_path / "g.pb", graph_bytes(3, extra=op)))


def test_operations_inside_functions_are_found(tmp_path):
    with pytest.raises(GraphError, match="ReadFile"):
        load_graph(write(tmp_path / "g.pb", graph_bytes(3, extra="function")))


def test_no_allowed_operation_touches_files_python_or_the_process():
    from helpers.deeplab.engines.tensorflow import import_tensorflow

    tf = import_tensorflow()
    modules = {op: getattr(tf.raw_ops, op).__module__.rpartition("gen_")[2] for op in ALLOWED_OPS - {"Const"}}
    pure = {"array_ops", "control_flow_ops", "image_ops", "linalg_ops", "math_ops", "nn_ops", "logging_ops"}
    assert set(modules.values()) <= pure
    assert [op for op, module in modules.items() if module == "logging_ops"] == ["Assert"]
    assert not {"Abort", "ImmutableConst", "DebugIdentity", "Print", "PyFunc", "ReadFile"} & ALLOWED_OPS


@pytest.mark.parametrize("keep", [0, 1, 10, 0.3, 0.9])
def test_a_graph_cut_short_is_refused(tmp_path, plain, keep):
    data = plain[: keep if keep >= 1 or keep == 0 else int(len(plain) * keep)]
    with pytest.raises(GraphError, match="g.pb"):
        load_graph(write(tmp_path / "g.pb", data))


def test_what_is_no_graph_is_refused_with_its_name(tmp_path, plain):
    rng = np.random.default_rng(0)
    for name, data, message in [
        ("text.pb", b"this is not a graph" * 20, "text.pb is damaged"),
        ("noise.pb", rng.bytes(5000), "noise.pb is damaged"),
        ("noise.tar.gz", rng.bytes(5000), "noise.tar.gz is damaged or not a tar"),
        ("short.tar.gz", tarball(plain)[:-200], "short.tar.gz is damaged or not a tar"),
        ("other.tar.gz", tarball(b"x", file="readme.txt"), "holds no graphs"),
        ("noise.tflite", rng.bytes(5000), "noise.tflite is damaged"),
        ("empty.tflite", b"", "empty.tflite is damaged"),
        ("output.pb", graph_bytes(3, output_name="other"), "no node SemanticPredictions"),
        ("input.pb", graph_bytes(3, input_name="other"), "no node ImageTensor"),
        ("float.pb", graph_bytes(3, input_type="float32"), "takes float32, expected uint8"),
    ]:
        with pytest.raises(GraphError, match=message):
            load_graph(write(tmp_path / name, data))
    (tmp_path / "empty").mkdir()
    with pytest.raises(GraphError, match="empty holds no graphs"):
        load_graph(tmp_path / "empty")
    with pytest.raises(GraphError, match="no model at .*missing; name a file or folder, or one of: deeplab_street"):
        load_graph(tmp_path / "missing")
    with pytest.raises(GraphError, match="unknown engine 'fast'"):
        load_graph(write(tmp_path / "g.pb", plain), engine="fast")


def test_two_graphs_in_one_folder_are_not_guessed_between(tmp_path, plain):
    write(tmp_path / "a.pb", plain)
    write(tmp_path / "b.pb", plain)
    with pytest.raises(GraphError, match="holds 2 graphs"):
        load_graph(tmp_path)


@pytest.mark.parametrize(
    "image",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)],
)
def test_what_is_no_picture_is_refused(tmp_path, plain, image):
    with pytest.raises(GraphError, match="picture is"):
        load_graph(write(tmp_path / "g.pb", plain))(image)


def test_loading_says_nothing_and_leaves_keras_and_torch_alone(tmp_path, plain):
    path = write(tmp_path / "g.pb", plain)
    code = (
        "import sys, numpy as np; from helpers import deeplab;"
        f"deeplab.load_graph({str(path)!r})(np.zeros((9, 9, 3), np.uint8));"
        "import os; print('keras' in sys.modules, 'torch' in sys.modules, 'TF_USE_LEGACY_KERAS' in os.environ)"
    )
    env = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=280)
    assert (done.stdout.strip(), done.stderr) == ("False False False", "")


# ---- real models and photos, where there are some


def person_share_and_centre(mask, person):
    rows, columns = np.nonzero(mask == person)
    return len(rows) / mask.size, rows.mean() / mask.shape[0], columns.mean() / mask.shape[1]


def test_real_frozen_graph_finds_the_people(real_data):
    graph = load_graph(real_data / "models" / "deeplab_dm05_portrait_513")
    assert (graph.num_classes, graph.input_limit) == (2, (513, 513))
    image = read_image(real_data / "photos" / "astronaut.jpg")
    mask = graph(image)
    np.testing.assert_array_equal(graph.logits(image).argmax(-1), mask)
    share, y, x = person_share_and_centre(mask, 1)
    assert 0.4 < share < 0.65 and 0.55 < y < 0.75 and 0.35 < x < 0.55
    image = read_image(real_data / "photos" / "person1.jpg")  # 640×480: too large for the graph
    share, y, x = person_share_and_centre(segment(graph, image), 1)
    assert 0.02 < share < 0.2 and 0.5 < y < 0.8 and 0.3 < x < 0.6


@pytest.mark.parametrize("model", ["deeplabv3_257_mv_gpu", "deeplabv3_mnv2_pascal_quant"])
def test_real_lite_models_agree_with_the_labels_of_photos(real_data, model):
    graph = load_graph(real_data / "models" / f"{model}.tflite", labels=PASCAL_VOC)
    image = read_image(real_data / "photos" / "FudanPed00054.png")
    people = read_mask(real_data / "photos" / "FudanPed00054_mask.png") > 0
    mask = segment(graph, image)
    assert mask.shape == people.shape
    found = mask == PASCAL_VOC.index("person")
    assert (found & people).sum() / (found | people).sum() > 0.6
    share, y, x = person_share_and_centre(segment(graph, read_image(real_data / "photos" / "person1.jpg")), 15)
    assert 0.08 < share < 0.16 and 0.5 < y < 0.8 and 0.3 < x < 0.6


def test_real_lite_models_count_their_classes_and_keep_logits_apart(real_data):
    models = real_data / "models"
    street = load_graph(models / "deeplab_mobilenet_edgetpu_slim_cityscapes_quant.tflite")
    assert street.num_classes == 19
    image = read_image(real_data / "photos" / "driveseg_frame0.jpg")
    mask = segment(street, image)
    assert mask.shape == image.shape[:2]
    shares = np.bincount(mask.ravel(), minlength=19) / mask.size
    assert shares[CITYSCAPES.index("car")] > 0.15 and shares[CITYSCAPES.index("road")] > 0.15
    with pytest.raises(GraphError, match="ids only"):
        street.logits(image)
    lite = load_graph(models / "deeplabv3_257_mv_gpu.tflite")
    assert lite.num_classes == 21
    assert lite.logits(image).shape == (*fit_within(image.shape[:2], 257), 21)


def test_probabilities_are_folded_before_the_largest_is_taken():
    """Car, truck and bus with 0.2 each are more of a vehicle than a building with 0.4."""

    class Wavers:
        labels, num_classes, default_size, input_limit = CITYSCAPES, 19, None, None

        def logits(self, image: np.ndarray) -> np.ndarray:
            probs = np.full(19, 1e-9, np.float32)
            for name, share in (("car", 0.2), ("truck", 0.2), ("bus", 0.2), ("building", 0.4)):
                probs[CITYSCAPES.index(name)] = share
            return np.broadcast_to(np.log(probs), (*image.shape[:2], 19))

    image = np.zeros((6, 8, 3), np.uint8)
    assert Wavers().logits(image).argmax(-1).flat[0] == CITYSCAPES.index("building")
    pred = segment_folded(Wavers(), image, CAMVID11, max_size=4)
    assert pred.shape == (6, 8) and (pred == CAMVID11.index("Car")).all()
