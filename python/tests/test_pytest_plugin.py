import pytest

pytest_plugins = ["pytester"]


def test_the_fixture_gives_a_test_its_secrets_until_it_is_over(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import os

        COMMAND = ["/bin/sh", "-c", "printf 'LOCAL=local\\\\0\\\\0'; cat > /dev/null"]

        def test_fake(flyte_secrets):
            flyte_secrets.fake({"openai-key": "a"})
            flyte_secrets.fake({"openai-key": "b", "other": "c"})
            assert (os.environ["OPENAI_KEY"], os.environ["OTHER"]) == ("b", "c")

        def test_local(flyte_secrets):
            assert "OPENAI_KEY" not in os.environ
            flyte_secrets.local(command=COMMAND)
            assert os.environ["LOCAL"] == "local"

        def test_none(flyte_secrets):
            assert "LOCAL" not in os.environ

        def test_missing(flyte_secrets):
            flyte_secrets.local(command=["no-such-command"])
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["*LocalSecretsError: no-such-command can't be started*"])
