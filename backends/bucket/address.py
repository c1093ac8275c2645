"""The URL of a store in a bucket: what it may say, and what it must not."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

from backends.errors import OpenError
from backends.interface.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS = {"s3": "S3", "gs": "Google Cloud Storage", "az": "Azure Blob Storage"}
_SETTINGS = {
    "s3": {
        "endpoint": "endpoint",
        "region": "region",
        "virtual_hosted": "virtual_hosted_style_request",
        "skip_signature": "skip_signature",
        "allow_http": "",
    },
    "gs": {
        "endpoint": "base_url",
        "skip_signature": "skip_signature",
        "allow_http": "",
    },
    "az": {
        "account": "account_name",
        "endpoint": "endpoint",
        "skip_signature": "skip_signature",
        "allow_http": "",
    },
}
"""What a URL may set, and what the client library calls it."""
_SWITCHES = {"allow_http", "skip_signature", "virtual_hosted"}
_SECRET = re.compile(r"key|secret|token|pass|sig\b|sas|credential", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")
_PREFIX = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._=-]*(/[A-Za-z0-9_][A-Za-z0-9._=-]*)*")


@frozen
class Address:
    """Where a store is.

    Attributes
    ----------
    url : str
        As it may be shown and handed on; no secret is in it.
    scheme, bucket, prefix : str
        Its parts; the prefix is empty or has no slash at its ends.
    settings : mapping
        What the client library is told, by its own names, all of them strings.
    allow_http : bool
        Whether the connection may be unencrypted.
    """

    url: str
    scheme: str
    bucket: str
    prefix: str
    settings: Mapping[str, str]
    allow_http: bool

    @property
    def kind(self) -> str:
        """What people call the service."""
        return KINDS[self.scheme]

    def moved(self, prefix: str) -> Address:
        """Return the address of another prefix of the same bucket.

        Examples
        --------
        >>> parse_address("s3://lab/thesis/two?region=eu-west-1").moved("thesis").url
        's3://lab/thesis?region=eu-west-1'
        """
        shown = f"{self.scheme}://{self.bucket}" + (f"/{prefix}" if prefix else "")
        url = f"{shown}{''.join(self.url.partition('?')[1:])}"
        return replace(self, url=url, prefix=prefix)


def parse_address(url: str) -> Address:
    """Return what a URL says.

    Parameters
    ----------
    url : str
        ``s3://bucket/prefix``, ``gs://bucket/prefix`` or ``az://container/prefix``.
        After a question mark come settings: ``endpoint`` (where the service is, if it
        is not Amazon, Google or Microsoft), ``region``, ``account`` (of Azure),
        ``virtual_hosted``, ``skip_signature`` and ``allow_http`` (each ``true``).

    Raises
    ------
    OpenError
        It names no bucket, sets what cannot be set, or holds a secret.

    Examples
    --------
    >>> parse_address("s3://lab/thesis/?region=eu-west-1").prefix
    'thesis'
    >>> parse_address("s3://lab/thesis?secret_access_key=abc")
    Traceback (most recent call last):
    backends.errors.OpenError: s3://lab/thesis: no secret belongs into a URL, ...
    """
    scheme = url.partition(":")[0].lower()
    try:
        parts = urlsplit(url)
        given = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        raise OpenError(f"{scheme}://...: the URL makes no sense") from None
    bucket, prefix = parts.netloc.rpartition("@")[2], parts.path.strip("/")
    shown = f"{scheme}://{bucket}" + (f"/{prefix}" if prefix else "")
    secrets = [name for name, _ in given if _SECRET.search(name)]
    if "@" in parts.netloc or secrets or _holds_secret(dict(given).get("endpoint", "")):
        raise OpenError(
            f"{shown}: no secret belongs into a URL, which job scripts, logs and "
            f"records show; {_ENVIRONMENT[scheme]}"
        )
    if not _NAME.fullmatch(bucket):
        raise OpenError(f"{shown}: {bucket!r} is no bucket's name; {_LIKE[scheme]}")
    if prefix and not _PREFIX.fullmatch(prefix):
        raise OpenError(
            f"{shown}: a prefix is made of letters, digits and ._=- between single "
            f"slashes; {_LIKE[scheme]}"
        )
    settings = _settings(shown, scheme, given)
    allow_http = settings.pop("", "") == "true"
    query = urlencode(sorted(given), safe=":/")
    canonical = f"{shown}?{query}" if query else shown
    return Address(canonical, scheme, bucket, prefix, settings, allow_http)


_LIKE = {
    "s3": "write s3://bucket/prefix",
    "gs": "write gs://bucket/prefix",
    "az": "write az://container/prefix",
}
_ENVIRONMENT = {
    "s3": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment",
    "gs": "set GOOGLE_APPLICATION_CREDENTIALS in the environment",
    "az": "set AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_KEY in the environment",
}


def _holds_secret(endpoint: str) -> bool:
    return "@" in endpoint or "?" in endpoint


def _is_endpoint(value: str) -> bool:
    try:
        parts = urlsplit(value)
        there = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return there and parts.scheme in {"http", "https"}


def _settings(shown: str, scheme: str, given: list[tuple[str, str]]) -> dict[str, str]:
    known, settings = _SETTINGS[scheme], {}
    for name, value in given:
        if name not in known:
            raise OpenError(
                f"{shown}: there is no setting {name!r}; a URL of {KINDS[scheme]} may "
                f"set {', '.join(known)}"
            )
        if name in _SWITCHES and value.lower() not in {"true", "false"}:
            raise OpenError(f"{shown}: {name} is true or false, not {value!r}")
        if name == "endpoint" and not _is_endpoint(value):
            raise OpenError(
                f"{shown}: no service is at {value!r}; write where it is as "
                "https://host or https://host:9000"
            )
        settings[known[name]] = value.lower() if name in _SWITCHES else value
    return settings


def how_to_authenticate(scheme: str) -> str:
    """Return where the credentials of a service are taken from, as an advice."""
    return _ENVIRONMENT[scheme]
