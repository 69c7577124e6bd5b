"""WSGI applications seen as ASGI applications, and the `serve` command."""

from asgikit.wsgi._adapter import WsgiToAsgi
from asgikit.wsgi._file_wrapper import FileWrapper

__all__ = ("FileWrapper", "WsgiToAsgi")
