"""Flyte's command, ended without Python's shutdown: with flyte 2.12.1 a daemon thread that still holds standard error at that
moment makes the interpreter abort now and then (SIGABRT, "could not acquire lock ... at interpreter shutdown"), after all is done.
"""

import os
import sys

from flyte.cli.main import main

code = 0
try:
    main()
except SystemExit as end:
    code = end.code if isinstance(end.code, int) else int(end.code is not None)
sys.stdout.flush()
sys.stderr.flush()
os._exit(code)
