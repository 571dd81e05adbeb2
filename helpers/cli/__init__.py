"""The command line, `python -m helpers COMMAND`: one file for each group of commands.

Commands import what is slow (TensorFlow, torch) only when they run, so `--help` and light commands answer at once.
"""

import typer

from helpers.cli import assets, check, datasets, evaluate, export, segment, segment_many, train, train_road

app = typer.Typer(
    help="Segment pictures, score models, and look after what the notebooks need.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain text: an error is one line, also in a log file
)
for command in (
    segment.segment,
    segment_many.segment_many,
    evaluate.evaluate,
    export.export,
    assets.fetch,
    check.check,
    datasets.check_dataset,
):
    app.command()(command)
for command in (train_road.road, train_road.road_ways, train_road.road_cracks):
    train.train.command()(command)
app.add_typer(train.train, name="train")
