"""A task of Flyte 2 with a secret in a variable: flyte-secrets run hello.py main --name world"""

import os

import flyte

env = flyte.TaskEnvironment(name="hello", secrets=[flyte.Secret("openai-key")])


@env.task
def main(name: str = "world") -> str:
    return f"Hello {name}, with a key of {len(os.environ['OPENAI_KEY'])} characters"
