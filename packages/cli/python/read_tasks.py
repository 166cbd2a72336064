"""Imports a file with tasks of Flyte 2 or flytekit and answers which secrets each of them asks for.

    python read_tasks.py FILE SECONDS

The answer is one line of JSON on file descriptor 3, a socket, so that the file may print what it wants: `tasks`, or an
`error` with the place in the user's code. Requests are what the SDK itself serialises for a task. No task is run. The
process ends when the answer is given, when the time is over, or when the other end of the socket is closed. Needs
Python 3.9, the oldest that flytekit 1.15 runs on, and nothing but the SDK that the file imports.
"""

import importlib
import importlib.util
import inspect
import json
import os
import select
import socket
import sys
import sysconfig
import threading
import traceback
import types

MAX_TASKS = 1_000
MAX_REQUESTS = 1_000
MAX_FRAMES = 10
MAX_TEXT = 2_000


class Unreadable(Exception):
    """Why the tasks cannot be read although the file was imported."""


def main():
    file, seconds = sys.argv[1], float(sys.argv[2])
    channel = Channel(3)
    root, name = locate(file)
    # The directory of this script is in front; the file finds there what Flyte's own commands let it find.
    sys.path[0] = root
    sys.path += [os.getcwd(), os.path.dirname(file)]
    sys.argv = [file]
    channel.watch(seconds, lambda: describe_place(file, sys._current_frames()[threading.main_thread().ident]))
    try:
        module = import_file(file, root, name)
    except BaseException as error:  # SystemExit and what derives from BaseException in the user's code, too
        return channel.answer(error=describe_error("import", file, error))
    try:
        answer = read_tasks(module)
    except BaseException as error:
        return channel.answer(error=describe_error("read", file, error))
    channel.answer(**answer)


class Channel:
    """The socket to whoever asks. Only the first answer is sent, and it ends the process."""

    def __init__(self, descriptor):
        os.set_inheritable(descriptor, False)
        self._socket = socket.socket(fileno=descriptor)
        self._socket.setblocking(True)
        self._lock = threading.Lock()

    def answer(self, **content):
        with self._lock:
            for stream in (sys.stdout, sys.stderr):
                try:
                    stream.flush()
                except Exception:  # closed or replaced by the file
                    pass
            self._socket.sendall(json.dumps(content).encode() + b"\n")
            # Not sys.exit: threads and exit handlers of the user's modules would be waited for.
            os._exit(0)

    def watch(self, seconds, place):
        """Ends the process after that time, with the place where the file is, or when nobody waits any more."""

        def wait():
            readable, _, _ = select.select([self._socket], [], [], seconds)
            if readable:
                os._exit(1)
            self.answer(error={"phase": "timeout", **place()})

        threading.Thread(target=wait, daemon=True).start()


def locate(file):
    """The directory below which the file is a module, and the module's name, as flytekit finds them."""
    root, parts = os.path.dirname(file), [os.path.splitext(os.path.basename(file))[0]]
    while os.path.exists(os.path.join(root, "__init__.py")):
        root, package = os.path.split(root)
        parts.insert(0, package)
    return root, ".".join(parts)


def import_file(file, root, name):
    """By its path: a file `json.py` is the user's own, whatever else has that name."""
    package = name.rpartition(".")[0]
    if package:
        importlib.import_module(package)
    spec = importlib.util.spec_from_file_location(name, file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def read_tasks(module):
    """Every task, workflow and app that the module has a name for, and those that they call."""
    sdks = [Sdk() for name, Sdk in (("flyte", Flyte), ("flytekit", Flytekit)) if name in sys.modules]
    entries = Entries(sdks)
    for name, value in list(vars(module).items()):
        entries.add(value, name)
    return {
        "python": sys.executable,
        "sdks": {sdk.name: sdk.version() for sdk in sdks},
        "tasks": [entries.describe(entity) for entity in entries.all()],
    }


class Entries:
    """The entities in the order in which they were found, each once, numbered."""

    def __init__(self, sdks):
        self._sdks = sdks
        self._found = {}

    def add(self, value, name=None):
        """The number of an entity; None for other values."""
        sdk = next((sdk for sdk in self._sdks if sdk.is_entity(value)), None)
        if sdk is None:
            return None
        if id(value) not in self._found:
            if len(self._found) == MAX_TASKS:
                raise Unreadable("it has more than %d tasks" % MAX_TASKS)
            self._found[id(value)] = {"entity": value, "sdk": sdk, "index": len(self._found), "name": name}
        entry = self._found[id(value)]
        entry["name"] = entry["name"] or name
        return entry["index"]

    def all(self):
        """Grows while it is read: what an entity calls is added by `describe`."""
        at = 0
        while at < len(self._found):
            yield list(self._found.values())[at]
            at += 1

    def describe(self, entry):
        sdk, entity = entry["sdk"], entry["entity"]
        messages = sdk.requests(entity)
        if len(messages) > MAX_REQUESTS:
            raise Unreadable("%s asks for more than %d secrets" % (entity.name, MAX_REQUESTS))
        calls = [self.add(called) for called in sdk.called(entity)]
        return {
            "name": entry["name"],
            "fullName": entity.name,
            "kind": sdk.kind(entity),
            "sdk": sdk.name,
            "requests": [to_fields(message) for message in messages],
            "calls": [index for index in calls if index is not None],
        }


def to_fields(message):
    """Of `flyteidl.core.Secret` or `flyteidl2.core.Secret`, which have the same ones."""
    return {
        "group": message.group,
        "groupVersion": message.group_version,
        "key": message.key,
        "mountRequirement": message.mount_requirement,
        "envVar": message.env_var,
    }


class Flyte:
    """Flyte 2: tasks of environments, and apps."""

    name = "flyte"

    def __init__(self):
        from flyte._internal.runtime.task_serde import get_security_context
        from flyte.app import AppEnvironment
        from flyte.extend import TaskTemplate

        self._task, self._app, self._serialise = TaskTemplate, AppEnvironment, get_security_context

    def version(self):
        return sys.modules["flyte"].version()

    def is_entity(self, value):
        return isinstance(value, (self._task, self._app))

    def kind(self, entity):
        return "app" if isinstance(entity, self._app) else "task"

    def requests(self, entity):
        """The serialiser of templates uses this function for tasks and apps alike."""
        context = self._serialise(entity.secrets)
        return [] if context is None else list(context.secrets)

    def called(self, entity):
        """Which tasks a task calls shows only when it runs: those that Flyte deploys with it."""
        if isinstance(entity, self._app):
            return []
        environment = entity.parent_env and entity.parent_env()
        waiting, seen = [environment] if environment else [], []
        while waiting:
            environment = waiting.pop(0)
            if any(environment is one for one in seen):
                continue
            seen.append(environment)
            waiting += environment.depends_on
        tasks = [task for one in seen for task in getattr(one, "tasks", {}).values()]
        return [task for task in tasks if task is not entity]


class Flytekit:
    """Flyte 1: tasks, workflows and launch plans."""

    name = "flytekit"

    def __init__(self):
        from flytekit.core.array_node import ArrayNode
        from flytekit.core.base_task import Task
        from flytekit.core.condition import BranchNode
        from flytekit.core.launch_plan import LaunchPlan
        from flytekit.core.reference_entity import ReferenceEntity
        from flytekit.core.workflow import WorkflowBase

        self._task, self._workflow, self._plan = Task, WorkflowBase, LaunchPlan
        self._branch, self._array, self._reference = BranchNode, ArrayNode, ReferenceEntity

    def version(self):
        return getattr(sys.modules["flytekit"], "__version__", "")

    def is_entity(self, value):
        # A reference names what is deployed already, and by whom: its requests are not in this file.
        is_known = isinstance(value, (self._task, self._workflow, self._plan))
        return is_known and not isinstance(value, self._reference)

    def kind(self, entity):
        return "task" if isinstance(entity, self._task) else "workflow"

    def requests(self, entity):
        """Of a task alone: Flyte gives a pod the secrets of its task's template, and no others."""
        context = entity.security_context if isinstance(entity, self._task) else None
        return [] if context is None else list(context.to_flyte_idl().secrets)

    def called(self, entity):
        if isinstance(entity, self._plan):
            return [entity.workflow]
        if isinstance(entity, self._workflow):
            nodes = list(entity.nodes)
            # The failure node is there when the nodes have been made.
            nodes += [entity.failure_node] if entity.failure_node else []
            return [called for node in nodes for called in self._in_node(node.flyte_entity)]
        mode = getattr(getattr(entity, "execution_mode", None), "name", "DEFAULT")
        if mode == "DEFAULT":
            return []
        # Dynamic and eager tasks call others while they run: those that their code names.
        return [*(entity.node_dependency_hints or []), *named_values(entity.task_function)]

    def _in_node(self, entity):
        if isinstance(entity, self._branch):
            block = entity._ifelse_block
            nodes = [block.case.then_node, *(case.then_node for case in block.other or []), block.else_node]
            return [called for node in nodes if node for called in self._in_node(node.flyte_entity)]
        if isinstance(entity, self._array):
            return self._in_node(entity.target)
        return [entity]


def named_values(function):
    """The values of the global names in a function's code, and of their attributes if they are modules."""
    function = inspect.unwrap(function)
    if not isinstance(function, types.FunctionType):
        return []
    codes, names = [function.__code__], []
    while codes:
        code = codes.pop()
        names += code.co_names
        codes += [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
    values = [function.__globals__[name] for name in names if name in function.__globals__]
    modules = [value for value in values if isinstance(value, types.ModuleType)]
    return values + [vars(module)[name] for module in modules for name in names if name in vars(module)]


def describe_error(phase, file, error):
    """In JSON; never throws, whatever the error's own code does."""
    if isinstance(error, Unreadable):
        return {"phase": "unreadable", "message": str(error)}
    try:
        message = str(error)
    except BaseException:
        message = "(its message cannot be read)"
    described = {"phase": phase, "type": type(error).__name__[:MAX_TEXT], "message": message[:MAX_TEXT]}
    frames = users_frames(file, traceback.extract_tb(error.__traceback__))
    if isinstance(error, SystemExit):
        described["exit"] = message[:MAX_TEXT]
    if isinstance(error, ModuleNotFoundError) and error.name:
        described["missing"] = error.name[:MAX_TEXT]
    if isinstance(error, SyntaxError) and error.filename and os.path.exists(error.filename):
        described["message"] = str(error.msg)[:MAX_TEXT]
        place = {"file": error.filename, "line": error.lineno or 0, "function": "", "source": error.text or ""}
        frames = [cut(place), *frames]
    return {**described, "frames": frames[:MAX_FRAMES]}


def describe_place(file, frame):
    return {"frames": users_frames(file, traceback.extract_stack(frame))[:MAX_FRAMES]}


def users_frames(file, frames):
    """Of the user's code, innermost first; packages, Python's own library and this script are none of it."""
    ours = os.path.dirname(os.path.abspath(__file__))
    paths = sysconfig.get_paths()
    libraries = [os.path.join(paths[name], "") for name in ("stdlib", "platstdlib", "purelib", "platlib")]

    def is_users(path):
        if path == file:
            return True
        return not path.startswith(("<", os.path.join(ours, ""), *libraries))

    return [
        cut({"file": one.filename, "line": one.lineno or 0, "function": one.name, "source": one.line or ""})
        for one in reversed(list(frames))
        if is_users(one.filename)
    ]


def cut(frame):
    return {name: value[:MAX_TEXT] if isinstance(value, str) else value for name, value in frame.items()}


main()
