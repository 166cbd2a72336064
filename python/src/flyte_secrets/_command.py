"""Secrets of this machine, as the command `flyte-secrets exec --hold` gives them."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from ._process import environment

_MAX_MESSAGE_BYTES = 16_384


class LocalSecretsError(Exception):
    """Why there are no secrets, in the words of the command. Never contains a value."""


@contextmanager
def local_secrets(
    source: str | os.PathLike[str] | None = None,
    *,
    secrets: Sequence[str] = (),
    files: Sequence[str] = (),
    project: str | None = None,
    domain: str | None = None,
    options: Sequence[str] = (),
    command: Sequence[str] = ("flyte-secrets",),
) -> Iterator[None]:
    """Gives this process the secrets that a task has, as variables and files, for as long as the block runs.

    Values come from this machine's own store, or from the secret manager that the configuration names. Variables belong
    to the whole process, so that two threads can't have the secrets of different tasks. Also usable as a decorator.

    Args:
        source: Who asks for secrets: `FILE.py`, `FILE.py:TASK`, or a manifest with pods.
        secrets: Further secrets in variables: `KEY`, `GROUP/KEY` or `KEY=VARIABLE`.
        files: Further secrets in files: `KEY`, `GROUP/KEY` or `KEY=VARIABLE`, with the path in the variable.
        project: Project of the task; by default that of Flyte's configuration.
        domain: Domain of the task; by default that of Flyte's configuration.
        options: Further options of `flyte-secrets exec`, such as `["-c", "config.yaml"]`.
        command: What starts `flyte-secrets`.

    Raises:
        LocalSecretsError: The command is not there, a secret was not found, the file can't be imported.

    """
    arguments = [*command, "exec", "--hold"]
    if source is not None:
        arguments += ["--from", os.fspath(source), "--python", sys.executable]
    if project is not None:
        arguments += ["-p", project]
    if domain is not None:
        arguments += ["-d", domain]
    arguments += [word for name in secrets for word in ("-s", name)]
    arguments += [word for name in files for word in ("--file", name)]
    with _running([*arguments, *options]) as variables, environment(variables):
        yield


@contextmanager
def _running(arguments: Sequence[str]) -> Iterator[dict[str, str]]:
    """Runs the command, which removes the files when its standard input ends: with the block, or with this process."""
    with tempfile.TemporaryFile() as messages:
        try:
            process = subprocess.Popen(  # noqa: S603
                arguments,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=messages,
                # Ctrl-C is for the block, which may go on after it.
                start_new_session=True,
            )
        except OSError as error:
            raise LocalSecretsError(f"{arguments[0]} can't be started: {error.strerror}") from None
        with process:  # Closes the pipes at the end, and waits.
            try:
                variables = _read_variables(process)
            except BaseException:
                process.terminate()
                raise
            if variables is not None:
                sys.stderr.write(_text_of(messages))
                yield variables
                return
        message = _text_of(messages).strip().removeprefix("error: ")
        raise LocalSecretsError(message or f"{arguments[0]} has ended with {process.returncode}")


def _read_variables(process: subprocess.Popen[bytes]) -> dict[str, str] | None:
    """`NAME=VALUE`, each ended by a NUL, and an empty one at the end; None where the stream ends before that."""
    received = b""
    while not (received.endswith(b"\0\0") or received == b"\0"):
        chunk = os.read(process.stdout.fileno(), 65_536) if process.stdout else b""
        if not chunk:
            return None
        received += chunk
    pairs = [os.fsdecode(entry).partition("=") for entry in received.split(b"\0") if entry]
    return {name: value for name, _, value in pairs}


def _text_of(messages: IO[bytes]) -> str:
    messages.seek(0)
    return messages.read(_MAX_MESSAGE_BYTES).decode(errors="replace")
