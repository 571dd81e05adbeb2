"""What a rendered surface can be, and what CamVid and Cityscapes call it.

The renderer knows one fine class for each kind of surface. Two lookup tables fold it into the 32 CamVid codes and into
the 19 Cityscapes train ids (255: what Cityscapes leaves out).
"""

import numpy as np

IGNORE = 255

# fine class: (CamVid code, Cityscapes train id). The order is the fine id; 0 is where no surface is.
FINE_CLASSES: dict[str, tuple[int, int]] = {
    "sky": (21, 10),
    "road": (17, 0),
    "lane marking": (10, 0),
    "hatched marking": (11, 0),
    "sidewalk": (19, 1),
    "building": (4, 2),
    "wall": (31, 3),
    "fence": (9, 4),
    "pole": (8, 5),
    "traffic light": (24, 6),
    "sign": (20, 7),
    "tree": (26, 8),
    "hedge": (29, 8),
    "grass": (29, 9),
    "person": (16, 11),
    "child": (7, 11),
    "rider": (2, 12),
    "bicycle": (2, 18),
    "motorcycle": (13, 17),
    "motorcyclist": (13, 12),
    "car": (5, 13),
    "van": (22, 13),
    "truck": (27, 14),
    "bus": (27, 15),
    "tram": (25, 16),
    "traffic cone": (23, IGNORE),
    "luggage": (6, IGNORE),
    "animal": (0, IGNORE),
    "clutter": (30, IGNORE),
}

FINE_IDS = {name: i for i, name in enumerate(FINE_CLASSES)}
TO_CAMVID = np.array([camvid for camvid, _ in FINE_CLASSES.values()], np.uint8)
TO_CITYSCAPES = np.array([cityscapes for _, cityscapes in FINE_CLASSES.values()], np.uint8)
# Things that are numbered one by one; what they carry is not.
COUNTABLE = np.array(
    [
        FINE_IDS[name]
        for name in (
            "person",
            "child",
            "rider",
            "bicycle",
            "motorcycle",
            "motorcyclist",
            "car",
            "van",
            "truck",
            "bus",
            "tram",
            "animal",
        )
    ]
)
