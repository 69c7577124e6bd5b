"""The words of ASGI and WSGI against the documents that they come from."""
