"""Small frozen graphs, built like DeepLab exports: each pixel gets the class whose colour is nearest."""

import io
import tarfile

import numpy as np


def class_colors(num_classes: int) -> np.ndarray:
    """(C, 3) different colours, far enough apart for every resizing."""
    levels = np.linspace(0, 255, int(np.ceil(num_classes ** (1 / 3)))).round()
    return np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), -1).reshape(-1, 3)[:num_classes]


def nearest_class(image: np.ndarray, colors: np.ndarray) -> np.ndarray:
    """The oracle: (H, W) index of the nearest colour, computed without TensorFlow."""
    return ((image[..., None, :].astype(np.float64) - colors) ** 2).sum(-1).argmin(-1)


def blocks(ids: np.ndarray, colors: np.ndarray, *, side: int = 20) -> np.ndarray:
    """A picture of plain squares, one for each id of a small (h, w) array."""
    return np.kron(colors[ids], np.ones((side, side, 1))).astype(np.uint8)


def graph_bytes(
    num_classes: int,
    *,
    crop: tuple[int, int] | None = None,
    stride: int = 1,
    extra: str | None = None,
    input_name: str = "ImageTensor",
    output_name: str = "SemanticPredictions",
    input_type: str = "uint8",
) -> bytes:
    """A serialised GraphDef.

    Args:
        num_classes: outputs.
        crop: pad to this (height, width), and fail on larger pictures, as the zoo's graphs do.
        stride: take the argmax on a grid this much coarser, as the MobileNetV3 graphs do.
        extra: one more operation, by name.
    """
    from helpers.deeplab.engines.tensorflow import import_tensorflow

    tf = import_tensorflow()
    colors = class_colors(num_classes)
    with tf.Graph().as_default() as graph:
        image = tf.compat.v1.placeholder(input_type, (1, None, None, 3), name=input_name)
        height, width = tf.shape(image)[1], tf.shape(image)[2]
        pixels = tf.cast(image, tf.float32)
        if crop:
            below, right = (tf.maximum(side - size, 0) for side, size in zip(crop, (height, width), strict=True))
            pixels = tf.pad(pixels, [[0, 0], [0, height + below - height], [0, width + right - width], [0, 0]])
            pixels = tf.ensure_shape(pixels, (1, *crop, 3))
        # |p − c|² = |p|² − 2 p·c + |c|², and |p|² is the same for all classes.
        weights = tf.constant(2 * colors.T[None, None], tf.float32)
        scores = tf.nn.conv2d(pixels, weights, stride, "SAME") - tf.constant((colors**2).sum(1), tf.float32)
        ids = tf.argmax(tf.identity(scores, name="scores_under_any_name"), axis=3)
        if stride > 1:
            size = crop or (height, width)
            ids = tf.compat.v1.image.resize_nearest_neighbor(tf.cast(ids[..., None], tf.int32), size)[..., 0]
        tf.identity(ids[:, :height, :width], name=output_name)
        if extra == "PyFunc":
            tf.raw_ops.PyFunc(input=[0.0], token="none", Tout=[tf.float32])
        elif extra == "WriteFile":
            tf.raw_ops.WriteFile(filename="out.txt", contents="x")
        elif extra == "ReadFile":
            tf.raw_ops.ReadFile(filename="secret.txt")
        elif extra == "ImmutableConst":
            tf.raw_ops.ImmutableConst(dtype=tf.float32, shape=[1], memory_region_name="secret.bin")
        elif extra == "function":
            tf.function(lambda: tf.io.read_file("secret.txt"))()
    return graph.as_graph_def().SerializeToString()


def lite_bytes(data: bytes, size: tuple[int, int]) -> bytes:
    """A `.tflite` file of a frozen DeepLab graph, for pictures of one size (height, width)."""
    from helpers.deeplab.engines.tensorflow import import_tensorflow

    tf = import_tensorflow()
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(tf.compat.v1.GraphDef.FromString(data), name="")
        with tf.compat.v1.Session(graph=graph) as session:
            image, ids = (graph.get_tensor_by_name(f"{name}:0") for name in ("ImageTensor", "SemanticPredictions"))
            image.set_shape((1, *size, 3))
            return tf.compat.v1.lite.TFLiteConverter.from_session(session, [image], [ids]).convert()


def tarball(data: bytes, folder: str = "deeplab", file: str = "frozen_inference_graph.pb") -> bytes:
    """Packed as the zoo packs a graph: in a folder, with the files of a training checkpoint beside it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        files = {"model.ckpt.index": b"index", f"._{file}": b"left by macOS", file: data}
        for name, content in files.items():
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()
