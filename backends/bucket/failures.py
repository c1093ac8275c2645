"""What a failed request means, by the classes and the words of those who tell of it.

No text that a library made up is passed on: there are URLs in it, and in these may be
signatures.
"""

from __future__ import annotations

import re

_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w{1,60})</Code>|\"code\": ?\"([A-Za-z]\w{1,60})")
_KINDS = {
    "AuthenticationFailed": "credentials",
    "AuthorizationHeaderMalformed": "elsewhere",
    "ContainerNotFound": "no bucket",
    "ExpiredToken": "credentials",
    "InvalidAccessKeyId": "credentials",
    "InvalidAuthenticationInfo": "credentials",
    "InvalidBucketName": "no bucket",
    "InvalidToken": "credentials",
    "NoAuthenticationInformation": "credentials",
    "NoSuchBucket": "no bucket",
    "NotImplemented": "unsupported",
    "PermanentRedirect": "elsewhere",
    "RequestTimeTooSkewed": "credentials",
    "SignatureDoesNotMatch": "credentials",
    "TokenRefreshRequired": "credentials",
}
_NAMES = {
    "AlreadyExistsError": "exists",
    "FileNotFoundError": "missing",
    "NotModifiedError": "exists",
    "NotSupportedError": "unsupported",
    "PermissionDeniedError": "denied",
    "PreconditionError": "exists",
    "TimeoutError": "unreachable",
    "UnauthenticatedError": "credentials",
}
_STATUSES = {301: "elsewhere", 401: "credentials", 403: "denied", 501: "unsupported"}
_STATUSES |= dict.fromkeys((408, 409, 425, 429, 500, 502, 503, 504), "busy")
_OF_MACHINES = (
    *(
        "//169.254.169.254/",
        "//169.254.170.2/",
        "/latest/api/token",
        "/latest/meta-data/iam/",
    ),
    *("//metadata.google.internal/", "/metadata/identity/oauth2/token"),
    *("//oauth2.googleapis.com/", "//login.microsoftonline.com/"),
)
"""What stands in the addresses where machines are told their own credentials."""
IN_VAIN = {"busy", "unreachable"}
"""Kinds of failures that pass."""


def told(error: BaseException) -> tuple[str, str]:
    """Return of which kind a failure is, and the store's own word for it.

    Examples
    --------
    >>> told(RuntimeError("status code: 503 ...: <Error><Code>SlowDown</Code>"))
    ('busy', '503 SlowDown')
    """
    text = str(error)
    status = next(iter(_STATUS.findall(text)), "")
    codes = [one or other for one, other in _CODE.findall(text)]
    code = next(iter(codes), "")
    word = f"{status} {code}".strip() or type(error).__name__
    return _kind(type(error).__name__, int(status or 0), code, text), word


def _kind(name: str, status: int, code: str, text: str) -> str:
    if code in _KINDS:
        return _KINDS[code]
    if name in _NAMES:
        return _NAMES[name]
    if any(place in text for place in _OF_MACHINES):
        return "credentials"  # it looked for the machine's own, and there are none
    if status:
        return _STATUSES.get(status, "other")
    return "unreachable" if "HTTP error" in text else "other"
