"""The digests of all families, as JSON: run with any Python, under any hash seed.

``python -m families.digests`` in the folder above.
"""

import hashlib
import importlib
import json
import sys

from taskgraph import UnhashableError
from taskgraph.identity.hashing import Encoder

REFUSED = "refused"
MODULES = ("plain", "extending", "objects", "arrays", "tables", "libraries")


def digest_of(value):
    try:
        return hashlib.sha256(Encoder().encode(value)).hexdigest()[:16]
    except UnhashableError:
        return REFUSED


def digests(modules):
    found = {}
    for name in modules:
        families = importlib.import_module(f"families.{name}").FAMILIES
        for family, values in families.items():
            found[f"{name}: {family}"] = [digest_of(value) for value in values()]
    return found


if __name__ == "__main__":
    json.dump(digests(sys.argv[1:] or MODULES), sys.stdout, indent=0)
