"""The examples in docstrings are right."""

import doctest
import importlib

import pytest

from helpers.environment import ROOT

MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "helpers").rglob("*.py")
    if "\n    >>> " in path.read_text(encoding="utf-8") or "\n>>> " in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if name.startswith("helpers.server."):  # its modules want Django's settings
        monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "helpers.server.settings")
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted and not result.failed
