"""Changes of this process that last as long as a context."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Sets variables, and afterwards gives them back the value that they had before, or none.

    The environment is that of the whole process, all of its threads.
    """
    before = {name: os.environ.get(name) for name in variables}
    try:
        os.environ.update(variables)
        with flytekit_context():
            yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def flytekit_context() -> Iterator[None]:
    """Has flytekit's `current_context().secrets` look where the environment says now.

    A context of flytekit keeps the directory and the prefix of the moment when it was made: for the first one, when
    flytekit was imported.
    """
    module = sys.modules.get("flytekit.core.context_manager")
    with ExitStack() as stack:
        if module is not None:
            context = module.FlyteContextManager.current_context()
            state, parameters = context.execution_state, context.user_space_params
            if state is not None and parameters is not None:
                fresh = state.with_params(user_space_params=parameters.builder().build())
                stack.enter_context(module.FlyteContextManager.with_context(context.with_execution_state(fresh)))
        yield
