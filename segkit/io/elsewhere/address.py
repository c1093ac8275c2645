"""Where a volume lies that is not on this machine: addresses, and what they may say."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from segkit.io.errors import ImageRequestError

if TYPE_CHECKING:
    from pathlib import Path

FORMATS = {"precomputed": "precomputed", "n5": "n5", "zarr": "zarr"}
FORMATS |= {"zarr2": "zarr", "zarr3": "zarr"}
"""What may stand before an address, as in Neuroglancer, and which format it means."""
BUCKETS = {"s3": "S3", "gs": "Google Cloud Storage"}
_WEB = ("http", "https")
_SETTINGS = {
    "s3": ("endpoint", "region", "allow_http", "skip_signature"),
    "gs": ("skip_signature",),
}
_SWITCHES = ("allow_http", "skip_signature")
# Paths of files have one slash where addresses that became such a path had two.
_ADDRESS = re.compile(
    rf"(?:(?P<format>{'|'.join(FORMATS)}):/{{1,2}})?"
    r"(?P<scheme>s3|gs|https?|file):(?P<rest>/.*)",
    re.DOTALL,
)
_FOREIGN = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a volume, or a part of it, lies.

    Attributes
    ----------
    format : str
        What stood before it; empty if its name or what lies there is to tell.
    scheme : {'s3', 'gs', 'http', 'https'}
        How it is reached.
    host : str
        The bucket, or the host and its port.
    path : str
        Below that, without slashes at its ends.
    settings : tuple of (str, str)
        What stood behind a question mark.
    key : str
        What is meant in it, as after ``::``.
    """

    format: str
    scheme: str
    host: str
    path: str
    settings: tuple[tuple[str, str], ...] = ()
    key: str = ""

    def __str__(self) -> str:
        before = f"{self.format}://" if self.format else ""
        query = urlencode(self.settings, safe=":/")
        after = (f"?{query}" if query else "") + (f"::{self.key}" if self.key else "")
        return f"{before}{self.root}/{self.path}{after}"

    @property
    def root(self) -> str:
        """Where all paths begin."""
        return f"{self.scheme}://{self.host}"

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def is_bucket(self) -> bool:
        """Whether things can be listed and written there."""
        return self.scheme in BUCKETS

    def setting(self, name: str) -> str | None:
        """Return what was set behind the question mark."""
        return dict(self.settings).get(name)

    def at(self, path: str) -> Address:
        """Return the address of another path in the same place."""
        return replace(self, path=path.strip("/"), key="")


def is_address(path: str | Path) -> bool:
    """Say whether a path means a volume that is not on this machine.

    Examples
    --------
    >>> is_address("s3://lab/brain.zarr"), is_address("file:///data/brain.zarr")
    (True, False)
    """
    found = _ADDRESS.fullmatch(os.fspath(path))
    return found is not None and found["scheme"] != "file"


def foreign_scheme(folder: Path) -> str:
    """Return what a folder begins with that was written as an address of another kind.

    Of ``file://`` too; empty of a path, and of an address at which volumes lie.

    Examples
    --------
    >>> from pathlib import Path
    >>> foreign_scheme(Path("memory://x")), foreign_scheme(Path("out"))
    ('memory', '')
    """
    found = _SCHEME.match(os.fspath(folder))
    return "" if found is None or is_address(folder) else found[1]


def local_path(path: str | Path) -> str:
    """Return the path on this machine that a ``file://`` means; others as they are.

    Raises
    ------
    ImageRequestError
        If it is an address of a kind that cannot be read.

    Examples
    --------
    >>> local_path("file:///data/brain.n5::raw"), local_path("precomputed:///data/seg")
    ('/data/brain.n5::raw', '/data/seg')
    >>> local_path("az://lab/brain")
    Traceback (most recent call last):
    segkit.io.ImageRequestError: az://...: there are no volumes at az://; an address
    begins with s3://, gs://, https://, http:// or file://. Of Azure, a container that
    everybody may read has https://ACCOUNT.blob.core.windows.net/CONTAINER/path; copy
    what is in another one here by azcopy
    """
    text = os.fspath(path)
    found = _ADDRESS.fullmatch(text)
    if found is not None:
        if found["scheme"] != "file":
            return text
        return re.sub(r"^/+(localhost(?=/))?/*", "/", unquote(found["rest"]))
    foreign = _FOREIGN.match(text)
    if foreign is None:
        return text
    if foreign[1] in FORMATS:
        return local_path(text[foreign.end() :])
    raise ImageRequestError(
        f"{foreign[0]}...",
        f"there are no volumes at {foreign[0]}; an address begins with s3://, gs://,"
        f" https://, http:// or file://{_OF_AZURE if foreign[1] in _AZURE else ''}",
    )


_AZURE = ("az", "azure", "abfs", "abfss", "wasb", "wasbs")
_OF_AZURE = (
    ". Of Azure, a container that everybody may read has"
    " https://ACCOUNT.blob.core.windows.net/CONTAINER/path; copy what is in another one"
    " here by azcopy"
)
"""tensorstore, which decodes the volumes, has no driver for it."""


def parse_address(text: str | Path) -> Address:
    """Return what an address says.

    Parameters
    ----------
    text : str
        ``s3://bucket/path``, ``gs://bucket/path``, ``https://host/path``, perhaps
        with ``precomputed://``, ``n5://`` or ``zarr://`` before it, and ``::key``
        behind it. Behind a question mark come settings of buckets: ``endpoint``,
        ``region`` and ``allow_http`` of S3, and ``skip_signature``.

    Raises
    ------
    ImageRequestError
        If it holds a secret, which is not repeated, or makes no sense.

    Examples
    --------
    >>> found = parse_address("precomputed://s3://lab/brain?region=eu-west-1::raw")
    >>> found.format, found.host, found.path, found.key
    ('precomputed', 'lab', 'brain', 'raw')
    >>> str(parse_address("https://me:secret@lab.org/brain.zarr"))
    Traceback (most recent call last):
    segkit.io.ImageRequestError: https://lab.org/brain.zarr: no password belongs into
    an address, which records and logs show; write it into ~/.netrc
    """
    found = _ADDRESS.fullmatch(os.fspath(text))
    if found is None:
        raise ImageRequestError(text, "is no address; it begins with s3://, gs:// ...")
    scheme = found["scheme"]
    where, key = _split(found["rest"])
    where = re.sub(r"(endpoint=https?):/(?!/)", r"\1://", where)  # it was a path
    try:
        parts = urlsplit(f"{scheme}://{where.lstrip('/')}")
        given = parse_qsl(parts.query, keep_blank_values=True)
        parts.port  # noqa: B018 - raises if it is none
    except ValueError:
        raise ImageRequestError(f"{scheme}://...", "the address makes no sense") from (
            None
        )
    host = parts.netloc.rpartition("@")[2]
    if parts.fragment or where.endswith("#"):
        shown = f"{scheme}://{host}{parts.path}"
        raise ImageRequestError(shown, "no '#' can stand in an address")
    path = unquote(parts.path) if scheme in _WEB else parts.path
    address = Address(
        FORMATS.get(found["format"] or "", ""), scheme, host, path.strip("/"), (), key
    )
    _require_place(address)
    _require_no_secret(address, "@" in parts.netloc, given)
    settings = _settings(address, given)
    return replace(address, settings=settings)


def _split(text: str) -> tuple[str, str]:
    """Return an address without its key, and the key; colons of hosts are none."""
    after = text.find("]") + 1  # of an address of the sixth version
    at = text.find("::", after)
    return (text, "") if at < 0 else (text[:at], text[at + 2 :].strip("/"))


def _require_no_secret(
    address: Address, named: bool, given: list[tuple[str, str]]
) -> None:
    known = _SETTINGS.get(address.scheme, ())
    secret = named or any(name not in known for name, _ in given)
    secret = secret or any("@" in value or "?" in value for _, value in given)
    if not secret:
        return
    if address.scheme in _WEB and not named:
        raise ImageRequestError(
            address,
            "a query in an address may be a secret, which records and logs would show;"
            " leave it out, or take the address of a bucket (s3://, gs://)",
        )
    unknown = [name for name, _ in given if name not in known]
    if not named and unknown:
        raise ImageRequestError(
            address,
            f"sets what cannot be set; behind ? may stand {', '.join(known)}, and"
            f" credentials {_CREDENTIALS[address.scheme]}",
        )
    raise ImageRequestError(
        address,
        "no password belongs into an address, which records and logs show; write it"
        f" {_CREDENTIALS.get(address.scheme, 'into ~/.netrc')}",
    )


_CREDENTIALS = {
    "s3": "into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment",
    "gs": "into the file that GOOGLE_APPLICATION_CREDENTIALS names",
}


def how_to_authenticate(scheme: str) -> str:
    """Return where credentials are taken from, as an advice.

    Examples
    --------
    >>> how_to_authenticate("https")
    'write name and password of the host into ~/.netrc'
    """
    if scheme in _CREDENTIALS:
        return f"write them {_CREDENTIALS[scheme]}"
    return "write name and password of the host into ~/.netrc"


def _require_place(address: Address) -> None:
    if address.is_bucket and not _BUCKET.fullmatch(address.host):
        raise ImageRequestError(
            address, f"{address.host!r} is no bucket's name; write s3://bucket/path"
        )
    if not address.host:
        raise ImageRequestError(address, "names no host; write https://host/path")
    if any(part in ("", ".", "..") for part in address.path.split("/")[:-1]):
        raise ImageRequestError(
            address,
            "has '.', '..' or an empty part; write the whole path",
        )


def _settings(
    address: Address, given: list[tuple[str, str]]
) -> tuple[tuple[str, str], ...]:
    for name, value in given:
        if name in _SWITCHES and value not in ("true", "false"):
            raise ImageRequestError(address, f"{name} is true or false, not {value!r}")
        if name == "endpoint" and not re.fullmatch(r"https?://[^/\s]+(/\S*)?", value):
            raise ImageRequestError(
                address,
                f"no service is at {value!r}; write endpoint=https://host or"
                " endpoint=https://host:9000",
            )
    return tuple(sorted(given))
