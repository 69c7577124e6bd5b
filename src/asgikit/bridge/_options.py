"""What a crossing may be told, and which word counts when several were given."""

from asyncio import AbstractEventLoop
from contextvars import Context
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias, final

from asgikit.protocols import ExecutorLike

__all__ = ("ContextPolicy", "Options")

ContextPolicy: TypeAlias = Literal["propagate", "isolate", "shared"]
"""What happens to context variables that the callee changes: written back, dropped, or never apart."""

POLICIES: Final = ("propagate", "isolate", "shared")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was asked for; None leaves it to the next in line: wrapper, `options`, scope, bridge."""

    thread_sensitive: bool | None = None
    executor: ExecutorLike | None = None
    context: Context | None = None
    context_policy: ContextPolicy | None = None
    timeout: float | None = None
    loop: AbstractEventLoop | None = None
    force_new_loop: bool = False
    after_abandonment: bool | None = None

    def over(self, other: "Options") -> "Options":
        """Return these options with what they leave open taken from `other`.

        Raises:
            TypeError: `executor` together with `thread_sensitive=True`.
            ValueError: no such context policy.
        """
        # A wrapper that says thread_sensitive=True means it, whatever executor an outer `options` named.
        executor = None if self.thread_sensitive else other.executor
        merged = replace(
            self,
            thread_sensitive=other.thread_sensitive if self.thread_sensitive is None else self.thread_sensitive,
            executor=executor if self.executor is None else self.executor,
            context_policy=self.context_policy or other.context_policy,
            timeout=other.timeout if self.timeout is None else self.timeout,
            after_abandonment=(other.after_abandonment if self.after_abandonment is None else self.after_abandonment),
            loop=other.loop if self.loop is None and not self.force_new_loop else self.loop,
        )
        if merged.executor is not None and merged.thread_sensitive is not False:
            message = (
                "executor= is for calls that may run on any thread: add thread_sensitive=False, or give the"
                " executor to thread_sensitive_scope(executor=...) to run thread-sensitive calls on it"
            )
            raise TypeError(message)
        if merged.context_policy is not None and merged.context_policy not in POLICIES:
            message = f"context_policy must be one of {', '.join(POLICIES)}, not {merged.context_policy!r}"
            raise ValueError(message)
        return merged
