"""`StatelessServer` over Redis Streams: several processes share the work, nothing is lost, nobody acts out of turn.

Needs redis-py (`pip install redis`), imported when the first client or server is made, and Redis 7 or newer with
an append-only file. What is acknowledged is as durable as the file: `appendfsync always` loses nothing.
"""

from asgikit import _public
from asgikit.server.redis._codec import Codec, JSONCodec
from asgikit.server.redis._connection import RedisClient, connect
from asgikit.server.redis._ends import Event, Output, RedisOutput, RedisPublisher
from asgikit.server.redis._layout import PartitionKeys, StreamLayout
from asgikit.server.redis._server import RedisCounters, RedisServer, ServerOptions

__all__ = (
    "Codec",
    "Event",
    "JSONCodec",
    "Output",
    "PartitionKeys",
    "RedisClient",
    "RedisCounters",
    "RedisOutput",
    "RedisPublisher",
    "RedisServer",
    "ServerOptions",
    "StreamLayout",
    "connect",
)

_public.publish(__name__)
