import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flyte_secrets import LocalSecretsError, local_secrets

# Against the command itself: e2e/python. Here a shell stands in its place.
GIVE = "printf 'FLYTE_SECRETS_TEST=a\\nb=c\\0EMPTY=\\0\\0'; cat > /dev/null; "


def shell(script: str) -> list[str]:
    return ["/bin/sh", "-c", script, "flyte-secrets"]


def test_variables_are_there_in_the_block_and_restored_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMPTY", "before")
    monkeypatch.delenv("FLYTE_SECRETS_TEST", raising=False)
    with local_secrets(command=shell(GIVE)):
        assert (os.environ["FLYTE_SECRETS_TEST"], os.environ["EMPTY"]) == ("a\nb=c", "")
        os.environ["EMPTY"] = "changed"
    assert os.environ["EMPTY"] == "before"
    assert "FLYTE_SECRETS_TEST" not in os.environ


def test_the_block_s_error_is_raised_when_all_is_as_it_was() -> None:
    with pytest.raises(KeyError, match="of the block"), local_secrets(command=shell(GIVE)):
        raise KeyError("of the block")
    assert "FLYTE_SECRETS_TEST" not in os.environ


def test_blocks_stand_in_one_another() -> None:
    with local_secrets(command=shell(GIVE)):
        with local_secrets(command=shell("printf 'FLYTE_SECRETS_TEST=inner\\0\\0'; cat > /dev/null")):
            assert os.environ["FLYTE_SECRETS_TEST"] == "inner"
        assert os.environ["FLYTE_SECRETS_TEST"] == "a\nb=c"


def test_it_is_a_decorator() -> None:
    @local_secrets(command=shell(GIVE))
    def read() -> str:
        return os.environ["FLYTE_SECRETS_TEST"]

    assert [read(), read()] == ["a\nb=c", "a\nb=c"]
    assert "FLYTE_SECRETS_TEST" not in os.environ


def test_the_command_line_has_the_requests(tmp_path: Path) -> None:
    script = f'printf "%s\\n" "$@" > {tmp_path}/arguments; {GIVE}'
    with local_secrets(
        Path("tasks.py"),
        secrets=["a", "g/b=B"],
        files=["c"],
        project="shop",
        domain="production",
        options=["--verbose"],
        command=shell(script),
    ):
        pass
    assert (tmp_path / "arguments").read_text().split("\n") == [
        *["exec", "--hold", "--from", "tasks.py", "--python", sys.executable, "-p", "shop", "-d", "production"],
        *["-s", "a", "-s", "g/b=B", "--file", "c", "--verbose", ""],
    ]


def test_the_command_lives_as_long_as_the_block(tmp_path: Path) -> None:
    ended = tmp_path / "ended"
    with local_secrets(command=shell(f"{GIVE} touch {ended}")):
        assert not ended.exists()
    assert ended.exists()


def test_the_command_ends_with_a_process_that_is_killed(tmp_path: Path) -> None:
    program = f"""
import os, time
from flyte_secrets import local_secrets
with local_secrets(command={shell(f"{GIVE} touch {tmp_path}/ended")!r}):
    os.kill(os.getpid(), {signal.SIGKILL})
"""
    os.mkfifo(tmp_path / "ended")
    process = subprocess.Popen([sys.executable, "-c", program])
    # Until the command touches it, nobody has the pipe open for writing.
    assert (tmp_path / "ended").read_bytes() == b""
    assert process.wait() == -signal.SIGKILL


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo 'error: secret \"a\" was not found' >&2; exit 1", 'secret "a" was not found'),
        ("printf 'A=b\\0'; echo 'error: late' >&2; exit 1", "late"),
        ("exit 3", "/bin/sh has ended with 3"),
        ("head -c 100000 /dev/zero | tr '\\0' x >&2; exit 1", "x" * 16_384),
    ],
)
def test_what_the_command_says_is_the_error(script: str, message: str) -> None:
    with pytest.raises(LocalSecretsError) as error, local_secrets(command=shell(script)):
        pytest.fail("the block runs without secrets")
    assert str(error.value) == message


def test_a_command_that_is_not_there_is_an_error() -> None:
    with (
        pytest.raises(LocalSecretsError, match=r"^no-such-command can't be started: No such file or directory$"),
        local_secrets(command=["no-such-command"]),
    ):
        pytest.fail("the block runs without secrets")


def test_warnings_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with local_secrets(command=shell(f"echo 'warning: old' >&2; {GIVE}")):
        pass
    assert capsys.readouterr().err == "warning: old\n"
