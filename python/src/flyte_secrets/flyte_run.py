"""A hook of Flyte's own command: `flyte run --local FILE.py TASK` gives the task its secrets.

Flyte 2 finds it by the entry point `flyte.plugins.cli.hooks`. flytekit has none for local execution.
"""

import os
import sys
from contextlib import ExitStack
from typing import Any

from ._command import LocalSecretsError, local_secrets

#: Set to 0, it leaves `flyte run --local` as it is.
_SWITCH = "FLYTE_SECRETS_LOCAL"
#: One of them is there when `flyte-secrets` has started this process with secrets.
_GIVEN = ("FLYTE_SECRETS_ENV_PREFIX", "FLYTE_SECRETS_DEFAULT_DIR")


def with_local_secrets(command: Any) -> Any:
    """Wraps the command `run`, a group of click's with files as its commands and their tasks below them."""
    run = command.invoke

    def invoke(context: Any) -> Any:
        with ExitStack() as stack:
            source = _local_task(context)
            if source is not None:
                project, domain = context.params.get("project"), context.params.get("domain")
                try:
                    stack.enter_context(local_secrets(source, project=project or None, domain=domain or None))
                except LocalSecretsError as error:
                    print(f"error: {error}\n  {_SWITCH}=0 runs it without.", file=sys.stderr)
                    context.exit(1)
            return run(context)

    command.invoke = invoke
    return command


def _local_task(context: Any) -> str | None:
    """`FILE.py:TASK` of a local run that nobody has given secrets yet."""
    is_local = context.params.get("local") or context.params.get("tracked")
    if not is_local or os.environ.get(_SWITCH) == "0" or any(name in os.environ for name in _GIVEN):
        return None
    # Behind the options of `run`: a file, then options or the name of a task, and what is for that.
    words: list[str] = [*context._protected_args, *context.args]
    file, task = (*words, "-", "-")[:2]
    is_help = "--help" in words
    return f"{file}:{task}" if file.endswith(".py") and not task.startswith("-") and not is_help else None
