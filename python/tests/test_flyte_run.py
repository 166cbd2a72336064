from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from flyte_secrets import LocalSecretsError, flyte_run

# With Flyte's own command: e2e/python.
LOCAL = {"local": True}


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str | None, str | None]]:
    calls: list[tuple[str, str | None, str | None]] = []

    @contextmanager
    def local_secrets(source: str, *, project: str | None, domain: str | None) -> Iterator[None]:
        if source == "missing.py:main":
            raise LocalSecretsError("not found")
        calls.append((source, project, domain))
        yield

    monkeypatch.setattr(flyte_run, "local_secrets", local_secrets)
    return calls


def run(*words: str, **params: Any) -> str:
    def leave(code: int) -> None:
        raise SystemExit(code)

    command = flyte_run.with_local_secrets(SimpleNamespace(invoke=lambda _: "ran"))
    context = SimpleNamespace(params=params, _protected_args=list(words[:1]), args=list(words[1:]), exit=leave)
    return str(command.invoke(context))


def test_a_local_run_has_what_its_task_asks_for(given: list[object]) -> None:
    assert run("hello.py", "main", "--name", "x", project="shop", domain="", **LOCAL) == "ran"
    assert run("dir/hello.py", "main", tracked=True) == "ran"
    assert given == [("hello.py:main", "shop", None), ("dir/hello.py:main", None, None)]


@pytest.mark.parametrize(
    ("words", "params"),
    [
        (["hello.py", "main"], {}),
        (["hello.py"], LOCAL),
        (["hello.py", "--help"], LOCAL),
        (["hello.py", "main", "--help"], LOCAL),
        (["deployed-task", "main"], LOCAL),
    ],
)
def test_others_run_as_they_are(given: list[object], words: list[str], params: dict[str, bool]) -> None:
    assert run(*words, **params) == "ran"
    assert given == []


@pytest.mark.parametrize("name", ["FLYTE_SECRETS_ENV_PREFIX", "FLYTE_SECRETS_DEFAULT_DIR", "FLYTE_SECRETS_LOCAL"])
def test_it_is_left_alone_where_secrets_are_given_or_not_wanted(
    given: list[object], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "0")
    assert run("hello.py", "main", **LOCAL) == "ran"
    assert given == []


def test_nothing_runs_when_a_secret_is_missing(given: list[object], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="1"):
        run("missing.py", "main", **LOCAL)
    assert capsys.readouterr().err == "error: not found\n  FLYTE_SECRETS_LOCAL=0 runs it without.\n"
    assert given == []
