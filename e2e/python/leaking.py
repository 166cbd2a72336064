"""Tasks of Flyte 2 that misbehave."""

import os

import flyte

env = flyte.TaskEnvironment(name="leaking", secrets=[flyte.Secret("stripe-key")])
apart = flyte.TaskEnvironment(name="apart", secrets=[flyte.Secret("not-there")])

# While it is imported there is no secret.
assert "STRIPE_KEY" not in os.environ or os.environ.get("FLYTE_SECRETS_ENV_PREFIX")


@env.task
def leak(verbose: bool = False) -> str:
    print("printed", os.environ["STRIPE_KEY"], "NOT_THERE" in os.environ)
    return "done"


@env.task
def fail() -> str:
    raise RuntimeError(os.environ["STRIPE_KEY"])


@apart.task
def lacks() -> str:
    return "never"
