"""The lesson's pictures: what they show, read back from the axes."""

import numpy as np
from matplotlib.colors import to_rgba

from helpers.scale.plots import ALONE, plot_cost, plot_rates, plot_workers


def test_a_worker_who_is_the_last_is_marked() -> None:
    spans = np.array([[100, 101], [100, 102], [101, 101.5], [102, 105]])
    ax = plot_workers(spans, ["a", "b", "a", "b"], title="who worked")
    colors = {tuple(c) for bars in ax.collections for c in bars.get_facecolor() if len(bars.get_paths())}
    assert to_rgba(ALONE) in colors
    alone = next(
        bars for bars in ax.collections if tuple(bars.get_facecolor()[0]) == to_rgba(ALONE) and bars.get_paths()
    )
    extents = [path.get_extents() for path in alone.get_paths()]
    assert [(e.x0, e.x1) for e in extents] == [(2, 5)]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["worker 1", "worker 2"]


def test_cost_is_drawn_from_what_it_is_given() -> None:
    hours, cost = plot_cost([1, 2, 4], [8, 4, 2], [3, 3.5, 4])
    assert hours.lines[0].get_ydata().tolist() == [8, 4, 2] and cost.lines[0].get_ydata().tolist() == [3, 3.5, 4]
    assert hours.get_ylim()[0] == cost.get_ylim()[0] == 0  # a cut axis would make small differences look large


def test_rates_are_compared_with_the_first() -> None:
    ax = plot_rates({"a loop": 10.0, "two processes": 19.0})
    assert [bar.get_width() for bar in ax.patches] == [10, 19]
    assert [text.get_text() for text in ax.texts] == [" 10.0, 1.00×", " 19.0, 1.90×"]
