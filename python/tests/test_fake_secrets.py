import os
from pathlib import Path

import pytest

from flyte_secrets import fake_secrets


def test_text_is_in_variables_and_in_a_file_and_bytes_in_a_file() -> None:
    before = dict(os.environ)
    with fake_secrets({"openai-key": "text", "db/password=PGPASSWORD": "word", "certificate": b"\xff\0"}):
        directory = Path(os.environ["FLYTE_SECRETS_DEFAULT_DIR"])
        given = {name: value for name, value in os.environ.items() if before.get(name) != value}
        assert given == {
            "FLYTE_SECRETS_DEFAULT_DIR": str(directory),
            "FLYTE_SECRETS_ENV_PREFIX": "_UNION_",
            "OPENAI_KEY": "text",
            "_UNION_OPENAI-KEY": "text",
            "PGPASSWORD": "word",
            "_UNION_DB_PASSWORD": "word",
            "_UNION_PASSWORD": "word",
        }
        assert {path.name: path.read_bytes() for path in directory.iterdir()} == {
            "openai-key": b"text",
            "password": b"word",
            "certificate": b"\xff\0",
        }
    assert dict(os.environ) == before
    assert not directory.exists()


@pytest.mark.parametrize("name", ["", "group/", "..", "g/..", "a=lower", "a=B=C", "/=A"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is no secret's name"), fake_secrets({name: "x"}):
        pytest.fail("the block runs")
    assert "FLYTE_SECRETS_DEFAULT_DIR" not in os.environ
