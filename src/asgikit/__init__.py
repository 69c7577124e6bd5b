"""asgikit: synchronous and asynchronous Python calling each other, safely, fast and fully typed."""

__all__ = ("__version__",)

__version__ = "0.1.0"
