"""WSGI applications seen as ASGI applications, and the `serve` command."""

from asgikit import _public
from asgikit.wsgi._adapter import WsgiToAsgi
from asgikit.wsgi._file_wrapper import FileWrapper

__all__ = ("FileWrapper", "WsgiToAsgi")

_public.publish(__name__)
