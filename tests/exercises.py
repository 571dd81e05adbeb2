"""How the checkers of the exercises are tested: the right answer passes, plausible wrong ones don't."""

from collections.abc import Callable, Mapping

import pytest

from helpers.checker import WrongAnswer


def assert_rejects(checker: Callable, wrong_answers: Mapping[str, object]) -> None:
    """Assert that a checker turns down each wrong answer with a hint, and none of them by crashing itself.

    Args:
        wrong_answers: the mistake in words → an answer that makes it; at least three.
    """
    assert len(wrong_answers) >= 3, "test a checker with at least three wrong answers"
    for mistake, answer in wrong_answers.items():
        with pytest.raises(WrongAnswer) as refusal:
            checker(answer)
            pytest.fail(f"{checker.__name__} accepted: {mistake}")
        message = str(refusal.value)
        assert message.startswith("✘") and "stopped with" not in message, f"{mistake}: {message}"


def assert_accepts(checker: Callable, answer: object) -> None:
    """Assert that a checker accepts the right answer, and an empty answer is called unfinished."""

    def unwritten(*_args, **_kwargs):
        raise NotImplementedError("write it here")

    checker(answer)
    with pytest.raises(NotImplementedError, match="still to do"):
        checker(unwritten)
