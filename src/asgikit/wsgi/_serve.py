"""`python -m asgikit serve module:app`: an application of any interface, served by uvicorn."""

import argparse
import importlib
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from types import ModuleType
from typing import Any, Final, cast

from asgikit.errors import AsgikitError, MissingExtraError
from asgikit.spec import ASGIApplicationLike
from asgikit.wsgi._adapter import WsgiToAsgi
from asgikit.wsgi._interface import INTERFACES, Interface, detect

__all__ = ("add_arguments", "application", "run")

_VARIABLE: Final = "ASGIKIT_SERVE"
"""The environment variable that tells uvicorn's worker processes what to load."""

_MISUSE: Final = 2


class _ServeError(AsgikitError, ValueError):
    """The command cannot do what it was asked; the message is the one line that is shown."""


@dataclass(frozen=True, slots=True)
class _Target:
    """What to serve: all that a worker process has to know."""

    path: str
    interface: Interface
    threads: int | None
    multiprocess: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("path", metavar="module:app", help="where the application is; dots lead into it")
    parser.add_argument(
        "--interface",
        choices=("auto", *INTERFACES),
        default="auto",
        help="what the application speaks; auto goes by its signature, and refuses to guess",
    )
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="the port to listen on (%(default)s)")
    parser.add_argument("--workers", type=_positive, default=1, help="worker processes (%(default)s)")
    parser.add_argument("--threads", type=_positive, help="threads for a WSGI application, in each process")


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C. Returns the exit status: 0 at the end, 2 if there is nothing to serve.

    Runs on the main thread, because uvicorn handles signals.
    """
    try:
        server = _uvicorn()
        found = _load(arguments.path)
        target = _Target(
            arguments.path, _interface(found, arguments), arguments.threads, multiprocess=arguments.workers > 1
        )
    except (_ServeError, MissingExtraError) as error:
        print(f"asgikit serve: {error}", file=sys.stderr)  # noqa: T201 - this is what a command line says
        return _MISUSE
    options: dict[str, Any] = {
        "host": arguments.host,
        "port": arguments.port,
        "workers": arguments.workers,
        "interface": "asgi2" if target.interface == "asgi2" else "asgi3",
    }
    if arguments.workers > 1:  # the worker processes load it themselves
        os.environ[_VARIABLE] = json.dumps(asdict(target))
        server.run("asgikit.wsgi._serve:application", factory=True, **options)
    else:
        server.run(_adapt(found, target), **options)
    return 0


def application() -> ASGIApplicationLike:
    """Load the application in a worker process of uvicorn; called there, once."""
    target = _Target(**json.loads(os.environ[_VARIABLE]))
    return _adapt(_load(target.path), target)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _uvicorn() -> ModuleType:
    try:
        return importlib.import_module("uvicorn")
    except ModuleNotFoundError as error:
        if error.name != "uvicorn":
            raise
        raise MissingExtraError("uvicorn is not installed, and serving needs it: pip install uvicorn") from error


def _load(path: str) -> Callable[..., Any]:
    module_name, colon, attributes = path.partition(":")
    if not (module_name and colon and attributes):
        raise _ServeError(f"{path!r} does not say where the application is: write module:app")
    found: Any = _module(module_name)
    for name in attributes.split("."):
        if not hasattr(found, name):
            raise _ServeError(f"the module {module_name!r} has no {attributes!r}")
        found = getattr(found, name)
    if not callable(found):
        raise _ServeError(f"{path} is of type {type(found).__name__}, and no application: it cannot be called")
    return cast("Callable[..., Any]", found)


def _module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        # What the module itself fails to import is its own error, to be seen in full.
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        raise _ServeError(f"there is no module {error.name!r} (looked from {os.getcwd()} on)") from error  # noqa: PTH109


def _interface(found: Callable[..., Any], arguments: argparse.Namespace) -> Interface:
    chosen: str = arguments.interface
    interface = detect(found) if chosen == "auto" else cast("Interface", chosen)
    if interface is None:
        raise _ServeError(
            f"the signature of {arguments.path} does not say which interface it speaks: "
            f"add --interface {'|'.join(INTERFACES)}"
        )
    return interface


def _adapt(found: Callable[..., Any], target: _Target) -> ASGIApplicationLike:
    if target.interface != "wsgi":
        return found
    return WsgiToAsgi(found, threads=target.threads, multiprocess=target.multiprocess)
