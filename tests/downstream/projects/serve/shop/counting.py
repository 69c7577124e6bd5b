"""Counts the threads that this process starts."""

import threading

started = []
_start = threading.Thread.start


def _counting(self):
    started.append(self.name)
    _start(self)


threading.Thread.start = _counting
