"""Start the server that lies beside this file, with the Python that runs this file.

    python -I -S start.py lsp
    python -I -S start.py --probe    whether this Python can run it, as one line of JSON

`libs/common` has what runs on any Python, `libs/cp311` and its neighbours what was
compiled for one version. No other package is on the import path: not those of this
Python's environment (`-S`), nor the working folder's, the user's or PYTHONPATH's
(`-I`). And PYTHONPATH is not set, because the user's own tests would inherit it.

Every Python must be able to read this file, so that one that is too old can say so.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
LIBS = os.path.join(os.path.dirname(HERE), "libs")
REFUSED = 3


def main(arguments):
    """Run a command of Bonafix's; its exit code, or 3 where this Python will not do."""
    folder = os.path.join(LIBS, tag())
    if not os.path.isdir(folder):
        return refuse("it runs on {}".format(" or ".join(known()) or "none at all"))
    if not (sys.flags.isolated and sys.flags.no_site):
        return again(arguments)
    sys.path[:0] = [folder, os.path.join(LIBS, "common")]
    if arguments == ["--probe"]:
        return probe(folder)
    from bonafix.cli.main import main as command

    return command(arguments)


def tag():
    """The name of this Python's folder, as in the names of wheels: cp313, cp314t."""
    name = getattr(getattr(sys, "implementation", None), "name", "cpython")
    kind = "cp" if name == "cpython" else name
    return "{}{}{}{}".format(kind, sys.version_info[0], sys.version_info[1], threads())


def threads():
    """The mark of a Python without a global lock, which needs modules of its own."""
    if sys.version_info < (3, 13):
        return ""
    import sysconfig

    return "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""


def known():
    """The versions that there are folders for: ["3.11", "3.12"]."""
    if not os.path.isdir(LIBS):
        return []
    names = [name[2:] for name in os.listdir(LIBS) if name.startswith("cp")]
    in_order = sorted(names, key=lambda name: (len(name), name))
    return ["{}.{}".format(name[0], name[1:]) for name in in_order]


def refuse(reason):
    """Say in one line why this Python cannot run the server."""
    version = sys.version.split()[0]
    words = "bonafix: this Python is {} ({}), and cannot run the bundled server: {}\n"
    sys.stderr.write(words.format(version, sys.executable, reason))
    return REFUSED


def again(arguments):
    """Run this file once more, with nothing on the import path but the library."""
    command = [sys.executable, "-I", "-S", os.path.abspath(__file__)] + arguments
    if os.name == "posix":
        os.execv(sys.executable, command)
    import subprocess

    return subprocess.call(command)  # there, execv returns before the program ends


def probe(folder):
    """Load what was compiled: it may be for another machine or a newer C library."""
    import importlib
    import json

    for name in sorted(os.listdir(folder)):
        if not name.endswith(".dist-info"):
            try:
                importlib.import_module(name.split(".")[0])
            except ImportError as error:
                return refuse(str(error).splitlines()[0])
    version = ".".join(map(str, sys.version_info[:3]))
    told = {"executable": sys.executable, "version": version}
    sys.stdout.write(json.dumps(told) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
