"""Invented secrets, for tests."""

import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ._process import environment

_PREFIX = "_UNION_"


@contextmanager
def fake_secrets(values: Mapping[str, str | bytes]) -> Iterator[None]:
    """Gives this process invented secrets, wherever Flyte's SDKs look for them, for as long as the block runs.

    Names are spelt as for `local_secrets`: `KEY`, `GROUP/KEY` or `KEY=VARIABLE`. Text is in the variable that is named,
    or that Flyte 2 derives, in those that flytekit reads, and in a file; bytes are in the file alone. Needs neither
    command nor store.

    Raises:
        ValueError: A name is not spelt so.

    """
    with tempfile.TemporaryDirectory(prefix="flyte-secrets-fake-") as directory:
        variables = {"FLYTE_SECRETS_ENV_PREFIX": _PREFIX, "FLYTE_SECRETS_DEFAULT_DIR": directory}
        for name, value in values.items():
            group, key, variable = _parse(name)
            # Where the Embedded manager has it, without the group.
            file = Path(directory, key)
            file.write_bytes(value.encode() if isinstance(value, str) else value)
            if isinstance(value, str):
                whole = f"{group}_{key}" if group else key
                names = [variable or whole.replace("-", "_"), _PREFIX + whole, _PREFIX + key]
                variables |= {one.upper(): value for one in names}
        with environment(variables):
            yield


def _parse(name: str) -> tuple[str | None, str, str | None]:
    match = re.fullmatch(r"(?:([^=]+)/)?([^/=]+)(?:=([A-Z_][A-Z0-9_]*))?", name)
    if match is None or match[2] in (".", ".."):
        raise ValueError(f"{name!r} is no secret's name: KEY, GROUP/KEY or KEY=VARIABLE is")
    group, key, variable = match.groups()
    return group, key, variable
