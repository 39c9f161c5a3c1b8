"""The messages WhatsApp's devices exchange, as protobuf classes made at import from descriptors.

No checker knows the fields of such classes, so they are `Proto` everywhere and only here is said
why. The engine judges what is built from them.
"""

from typing import Any, TypeAlias

from pyaileys.proto import WAProto_pb2

__all__ = ["WA", "Proto"]

Proto: TypeAlias = Any
WA: Proto = WAProto_pb2
