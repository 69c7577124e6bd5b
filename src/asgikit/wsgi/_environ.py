"""The environ of PEP 3333 from an ASGI scope: pure, table-tested, no stream and no thread.

`wsgi.input`, `wsgi.errors` and `wsgi.file_wrapper` are objects that act; the adapter adds them.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from asgikit.spec import ScopeLike, WSGIEnvironment

__all__ = ("SCOPE_KEY", "build_environ")

SCOPE_KEY: Final = "asgi.scope"
"""Where an application finds the ASGI scope of its request."""

_DEFAULT_PORTS: Final = (("https", "443"), ("http", "80"))
_UNRESERVED: Final = "/:@!$&'()*+,;=~"


def _bytes_as_text(text: str) -> str:
    # PEP 3333: text that stands for bytes, one character for each.
    return text if text.isascii() else text.encode("utf-8", "surrogatepass").decode("latin-1")


def _path(scope: ScopeLike) -> str:
    path: str = scope["path"]
    if "\ufffd" not in path:
        return _bytes_as_text(path)
    # The server could not decode the path: the raw one still has the bytes, if it is of the same request.
    raw = unquote_to_bytes(scope.get("raw_path") or b"")
    return raw.decode("latin-1") if raw.decode("utf-8", "replace") == path else _bytes_as_text(path)


def _split(path: str, root: str) -> tuple[str, str]:
    """Return SCRIPT_NAME and PATH_INFO; the root is taken off the path only where a segment ends."""
    root = root.rstrip("/")
    if root and not root.startswith("/"):
        root = f"/{root}"
    if root and (path == root or path.startswith(f"{root}/")):
        return root, path[len(root) :]
    if not path.startswith("/"):
        path = f"/{path}"
    return root, path


def _target(scope: ScopeLike, query: str) -> str:
    raw: bytes | None = scope.get("raw_path")
    path = raw.decode("latin-1") if raw else quote(scope["path"], safe=_UNRESERVED, errors="surrogatepass")
    return f"{path}?{query}" if query else path


def _server(scope: ScopeLike, scheme: str) -> tuple[str, str]:
    name, port = scope.get("server") or (None, None)
    if name is None or port is None:  # unknown, or a unix socket
        return "localhost", next((number for known, number in _DEFAULT_PORTS if known == scheme), "80")
    return str(name), str(port)


def _add_client(environ: WSGIEnvironment, client: tuple[str, int | None] | None) -> None:
    if client is not None:
        environ["REMOTE_ADDR"] = str(client[0])
        environ["REMOTE_PORT"] = str(client[1] or 0)


def build_environ(
    scope: ScopeLike, headers: Mapping[str, str], *, multithread: bool, multiprocess: bool
) -> WSGIEnvironment:
    """Return a fresh environ for an "http" scope, with the CGI variables in `headers` added.

    Text follows PEP 3333: each character stands for one byte (latin-1). `SCOPE_KEY` holds the scope, RAW_URI and
    REQUEST_URI the request target as it was sent.
    """
    scheme: str = scope.get("scheme") or "http"
    query = bytes(scope.get("query_string") or b"").decode("latin-1")
    script_name, path_info = _split(_path(scope), _bytes_as_text(scope.get("root_path") or ""))
    server_name, server_port = _server(scope, scheme)
    target = _target(scope, query)
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": script_name,
        "PATH_INFO": path_info,
        "QUERY_STRING": query,
        "RAW_URI": target,
        "REQUEST_URI": target,
        "SERVER_NAME": server_name,
        "SERVER_PORT": server_port,
        "SERVER_PROTOCOL": f"HTTP/{scope.get('http_version') or '1.1'}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme,
        "wsgi.input_terminated": True,
        "wsgi.multithread": multithread,
        "wsgi.multiprocess": multiprocess,
        "wsgi.run_once": False,
        SCOPE_KEY: scope,
    }
    if scheme == "https":
        environ["HTTPS"] = "on"
    _add_client(environ, scope.get("client"))
    environ.update(headers)
    return environ
