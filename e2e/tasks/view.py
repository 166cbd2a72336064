"""Prints as JSON what a program has of its secrets: the variables that are named, and all files at Flyte's path."""

import base64
import json
import os
import sys

SECRETS = "/etc/flyte/secrets"


def main(names):
    variables = {name: text(os.environb[os.fsencode(name)]) for name in names}
    paths = [os.path.join(directory, file) for directory, _, files in os.walk(SECRETS) for file in files]
    # Kubelets keep what they show in hidden directories.
    shown = sorted(path for path in paths if "/.." not in path)
    modes = sorted({"%o" % (os.stat(path).st_mode & 0o777) for path in shown})
    print(json.dumps({"variables": variables, "files": {path: content(path) for path in shown}, "modes": modes}))


def content(path):
    with open(path, "rb") as file:
        return text(file.read())


def text(value):
    return base64.b64encode(value).decode()


main(sys.argv[1:])
