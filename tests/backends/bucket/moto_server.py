"""moto's S3, as a service that keeps its word: ``python moto_server.py -p 5000``.

moto looks whether there is an object, and then writes one. Of two that are to be
written if there is none, and come at once, both may be told that they were the first;
then one is gone, and whoever wrote that has to take its store for rewound.
"""

from __future__ import annotations

import threading
from typing import Any

from moto.s3.responses import S3Response

_LOCK = threading.Lock()
_put_object = S3Response.put_object


def put_alone(self: S3Response) -> Any:
    """Look and write while nobody else does."""
    with _LOCK:
        return _put_object(self)


S3Response.put_object = put_alone

if __name__ == "__main__":
    from moto.server import main

    main()
