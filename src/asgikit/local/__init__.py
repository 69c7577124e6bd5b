"""Where values live: namespaces and variables that follow the running code through tasks, threads and bridges."""

from asgikit import _public
from asgikit.local._critical import ThreadCriticalLocal
from asgikit.local._local import Local
from asgikit.local._namespace import LocalNamespace
from asgikit.local._values import written_back
from asgikit.local._var import LocalVar
from asgikit.local._views import clear, snapshot

__all__ = ("Local", "LocalNamespace", "LocalVar", "ThreadCriticalLocal", "clear", "snapshot", "written_back")

_public.publish(__name__)
