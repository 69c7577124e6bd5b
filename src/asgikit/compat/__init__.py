"""Stand-ins for other libraries, for programs that shall run on asgikit unchanged: `asgikit.compat.asgiref`."""

__all__ = ()
