import os

import flyte

secrets = [flyte.Secret("openai-key", as_env_var="OPENAI_API_KEY"), flyte.Secret("db-password")]
env = flyte.TaskEnvironment(name="hello", secrets=secrets)


@env.task
def main(name: str) -> str:
    return f"{name} has a key of {len(os.environ['OPENAI_API_KEY'])} characters, and {os.environ['DB_PASSWORD']}"
