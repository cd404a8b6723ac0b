"""Values as Terraform sends them: msgpack, with marks for what is not known yet."""

import json
from typing import Any

import msgpack
from tf.gen import tfplugin_pb2 as pb

from tests.stand_ins.terraform.values import Unknown

_UNKNOWN, _UNKNOWN_BUT_REFINED = 0, 12  # the second says something of it, such as that it will not be null


def read(value: pb.DynamicValue) -> Any:
    if value.json:
        return json.loads(value.json)
    return msgpack.unpackb(value.msgpack, ext_hook=_extension, strict_map_key=False) if value.msgpack else None


def written(value: Any) -> pb.DynamicValue:
    return pb.DynamicValue(msgpack=msgpack.packb(value, default=_plain))


def _extension(code: int, data: bytes) -> Any:
    if code in (_UNKNOWN, _UNKNOWN_BUT_REFINED):
        return Unknown
    raise ValueError(f"Terraform has sent an extension {code} that nobody here knows")


def _plain(value: Any) -> Any:
    if value is Unknown:
        return msgpack.ExtType(_UNKNOWN, b"\x00")
    raise TypeError(f"{value!r} has no place in a state")
