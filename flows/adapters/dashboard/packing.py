"""Data within a page: JSON, compressed, as text."""

import base64
import gzip
import json
from collections.abc import Mapping
from typing import Any


def packed(data: Mapping[str, Any]) -> str:
    """Depends on the data alone."""
    plain = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    return base64.b64encode(gzip.compress(plain, 6, mtime=0)).decode("ascii")
