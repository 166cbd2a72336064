"""A test of a task that needs its secret: flyte-secrets exec --from hello.py:main -- python -m pytest test_hello.py"""

import os

from hello import main


def test_greets_with_the_length_of_the_key():
    assert main.func(name="you") == f"Hello you, with a key of {len(os.environ['OPENAI_KEY'])} characters"
