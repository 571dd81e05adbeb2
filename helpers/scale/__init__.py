"""Lesson 09: segmenting a million frames, on the cores of one machine or on a cluster of Ray.

`frames` lists what there is to do, `work` does it (the same class in a plain loop, in `local_engine`'s processes and in
`ray_engine`'s actors), `storage` keeps the results, `report` adds them up. All of it needs the extra `scale` (pyarrow).
"""


class ScaleError(ValueError):
    """A run can't start or go on; the message says why and what to do."""
