"""What a failed request means: of which kind it is, and a sentence on what to do.

No text that a library made up is passed on as it is: there are URLs in it, and in these
may be signatures.
"""

from __future__ import annotations

import errno
import re
from typing import TYPE_CHECKING

from segkit.io.elsewhere.address import how_to_authenticate
from segkit.io.errors import (
    DamagedImageError,
    ImageRequestError,
    UnreachableError,
)

if TYPE_CHECKING:
    from segkit.io.elsewhere.address import Address

_KINDS = {
    "AuthorizationHeaderMalformed": "moved",
    "ExpiredToken": "credentials",
    "InvalidAccessKeyId": "credentials",
    "InvalidToken": "credentials",
    "Missing AccessKeyId": "credentials",
    "Missing SecretAccessKey": "credentials",
    "NoSuchBucket": "no bucket",
    "PermanentRedirect": "moved",
    "RequestTimeTooSkewed": "credentials",
    "SignatureDoesNotMatch": "credentials",
    "PERMISSION_DENIED": "denied",
    "UNAUTHENTICATED": "credentials",
    "PermissionDeniedError": "denied",
    "UnauthenticatedError": "credentials",
    "Could not resolve": "no host",
    "dns error": "no host",
    "Could not connect": "unreachable",
    "tcp connect error": "unreachable",
    "DEADLINE_EXCEEDED": "unreachable",
    "TimeoutError": "unreachable",
    "HTTP error: error sending request": "unreachable",
    "No space left": "full",
    "Disk quota": "full",
    "RESOURCE_EXHAUSTED": "busy",
    "UNAVAILABLE": "busy",
    "chunk is missing": "missing",
    "is missing": "missing",
    "NOT_FOUND": "missing",
    "FileNotFoundError": "missing",
    "Requested byte range": "no ranges",
    "BadGzipFile": "damaged",
    "Compressed file": "damaged",
    "DATA_LOSS": "damaged",
    "Error decoding": "damaged",
    "Error reading": "damaged",
    "FAILED_PRECONDITION": "damaged",
    "INVALID_ARGUMENT": "damaged",
    "UNIMPLEMENTED": "damaged",
}
"""By the first of these that stands in what is told."""
_STATUS = re.compile(r"(?:status code: |http_response_code=')(\d{3})")
_STATUSES = {401: "credentials", 403: "denied", 404: "missing"}
_STATUSES |= dict.fromkeys((301, 302, 303, 307, 308), "moved")
_STATUSES |= dict.fromkeys((408, 409, 425, 429, 500, 502, 503, 504), "busy")
_OF_MACHINES = re.compile(r"169\.254\.169\.254|metadata\.google|oauth2\.googleapis")


def told(error: BaseException) -> tuple[str, str]:
    """Return of which kind a failure is, and what may be repeated of its text.

    Examples
    --------
    >>> told(ValueError("DATA_LOSS: Error decoding chunk: bad [key='https://a?X=1']"))
    ('damaged', 'Error decoding chunk: bad')
    """
    text = " ".join(str(error).split())
    everything = f"{type(error).__name__} {text}"
    kind = next((k for word, k in _KINDS.items() if word in everything), "other")
    status = _STATUS.search(text)
    if status and kind in ("other", "damaged"):
        kind = _STATUSES.get(int(status[1]), kind)
    if _OF_MACHINES.search(text):
        kind = "credentials"  # the machine's own were looked for, and there are none
    word = re.sub(r"^[A-Z_]{4,}: ", "", text.partition(" [")[0])
    word = re.sub(r"\S+://\S+", "...", re.sub(r"\{.*\}", "...", word))
    return kind, word[:160] or type(error).__name__


_SENTENCES = {
    "credentials": "refuses the credentials, or there are none; {how}",
    "denied": "no permission, or nothing is there; {how}, or ask the owner",
    "no bucket": "there is no such bucket; look at its name and endpoint",
    "moved": "leads to another address, so give that; or the bucket is in another"
    " region, so add ?region=NAME",
    "no host": "there is no host of that name, or no network; look at the address",
    "unreachable": "nobody answers there; look at the address and the network, and try"
    " again",
    "busy": "the service is busy or fails; try again later",
    "no ranges": "the server sends no parts of files, which shards need; take another"
    " server, or copy the volume",
    "other": "cannot be reached ({word}); look at the address",
}


def failure(address: Address | str, kind: str, word: str) -> Exception:
    """Return the error to raise for a request that failed.

    Examples
    --------
    >>> from segkit.io.elsewhere.address import parse_address
    >>> failure(parse_address("s3://lab/brain"), "no bucket", "")
    FileNotFoundError('s3://lab/brain: there is no such bucket; ...')
    """
    if kind == "missing":
        return FileNotFoundError(f"{address}: no image there")
    if kind == "full":
        return OSError(errno.ENOSPC, "no space left", str(address))
    if kind == "damaged":
        return DamagedImageError(
            address,
            f"is damaged or of an unknown kind ({word}); copy or write it again",
        )
    scheme = str(address).partition("://")[0]
    how = how_to_authenticate(getattr(address, "scheme", scheme))
    sentence = _SENTENCES[kind].format(how=how, word=word)
    if kind in ("credentials", "denied"):
        return PermissionError(f"{address}: {sentence}")
    if kind in ("no bucket", "no host"):
        return FileNotFoundError(f"{address}: {sentence}")
    if kind == "moved":
        return ImageRequestError(address, sentence)
    return UnreachableError(address, sentence)
