"""What `flyte run --local` runs in the measurements: it prints one line."""

import flyte

env = flyte.TaskEnvironment(name="hello")


@env.task
async def main() -> None:
    print("the task has begun", flush=True)
