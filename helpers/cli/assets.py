"""`fetch`: have files of the full tier on this machine before they are needed, for instance before a workshop."""

from typing import Annotated

import typer

from helpers.assets import ASSETS, AssetError, find
from helpers.assets import fetch as fetch_asset
from helpers.cli.console import FAILED, complain, give_up, say


def fetch(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME...", help="what to download")] = None,
    show_list: Annotated[bool, typer.Option("--list", help="show everything that can be downloaded")] = False,
) -> None:
    """Download weights and data sets of the full tier into the cache, checked."""
    if show_list:
        for asset in ASSETS.values():
            size = f"{asset.megabytes:8.1f} MB" if asset.megabytes else "   by hand "
            say(f"{asset.name:<40} {size}  {'here' if _is_here(asset) else '    '}  {asset.licence}")
        return
    if not names:
        give_up("name what to download; `fetch --list` shows what there is")
    failed = False
    for name in names:
        try:
            say(f"{name}: {fetch_asset(name)}")
        except AssetError as error:
            complain(error)
            failed = True
    if failed:
        raise typer.Exit(FAILED)


def _is_here(asset) -> bool:
    try:
        return find(asset) is not None
    except AssetError:
        return False
