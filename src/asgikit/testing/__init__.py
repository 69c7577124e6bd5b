"""Tools for tests: doubles that do real work at the moment and on the thread that the test chooses."""

from asgikit import _public
from asgikit.testing._clock import ManualClock
from asgikit.testing._communicator import ApplicationCommunicator, ContextChoice
from asgikit.testing._executor import ManualExecutor
from asgikit.testing._own_thread import OwnThreadPool
from asgikit.testing._steps import Step, Steps
from asgikit.testing._validator import validator

__all__ = (
    "ApplicationCommunicator",
    "ContextChoice",
    "ManualClock",
    "ManualExecutor",
    "OwnThreadPool",
    "Step",
    "Steps",
    "validator",
)

_public.publish(__name__)
