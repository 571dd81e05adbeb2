"""The guide's generated pages are those of today's notebooks."""

import re

import pytest

from tools.authoring import guide


@pytest.mark.parametrize("name", guide.PAGES)
def test_the_committed_page_is_the_generated_one(name: str) -> None:
    assert (guide.GUIDE / name).read_text(encoding="utf-8") == guide.PAGES[name](), "python -m tools.authoring.guide"


def test_each_schedule_fits_its_name() -> None:
    known = guide.lessons()
    assert known["00"][1] <= 90
    for name, most in (("Half a day", 4), ("A day", 8)):
        minutes = sum(known[number][1] + guide.BREAK for number in guide.SCHEDULES[name])
        assert minutes <= 60 * most, name


def test_no_term_is_listed_twice() -> None:
    terms = re.findall(r"^\| (.+?) \|", guide.glossary(), re.MULTILINE)
    assert len(terms) == len(set(terms)) > 50
