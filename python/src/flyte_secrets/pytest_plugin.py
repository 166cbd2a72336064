"""The fixture `flyte_secrets`, which pytest finds by itself."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import ParamSpec

import pytest

from ._command import local_secrets
from ._fake import fake_secrets

_P = ParamSpec("_P")


class FlyteSecrets:
    """Gives the tasks that a test calls their secrets, until the test is over."""

    def __init__(self, stack: ExitStack) -> None:
        self.fake = _enter(fake_secrets, stack)
        self.local = _enter(local_secrets, stack)


def _enter(manager: Callable[_P, AbstractContextManager[None]], stack: ExitStack) -> Callable[_P, None]:
    def enter(*args: _P.args, **kwargs: _P.kwargs) -> None:
        stack.enter_context(manager(*args, **kwargs))

    return enter


@pytest.fixture
def flyte_secrets() -> Iterator[FlyteSecrets]:
    """Secrets for the tasks that the test calls: `flyte_secrets.fake({...})`, `flyte_secrets.local("tasks.py")`."""
    with ExitStack() as stack:
        yield FlyteSecrets(stack)
