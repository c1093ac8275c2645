"""What is served: routes, files of packages, the shell of a page."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request

OWN = Path(__file__).parent / "static"
_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True)
class Site:
    """What a server shows.

    Attributes
    ----------
    routes : sequence of Route
        Starlette's, below the place of the site: ``Route("/", ...)`` is its first page.
        Pages name everything relative to theirs: ``static/live/page.js``.
    title : str
        What it is, in a few words.
    static : mapping of str to Path
        Folders of packages with scripts and styles, by the name below ``static/``;
        those of this package are ``static/pages/`` in any case.
    framed : bool
        Whether another page may show it in a frame, as a notebook does.
    """

    routes: Sequence[Route]
    title: str
    static: Mapping[str, Path] = field(default_factory=dict)
    framed: bool = False

    def files(self) -> dict[str, tuple[bytes, str]]:
        """Return the contents and the kinds of all its files, by path.

        They are read once: nothing that a browser asks for is looked up on a disk.
        """
        folders = {**self.static, "pages": OWN}
        return {
            f"static/{name}/{path.relative_to(folder).as_posix()}": (
                path.read_bytes(),
                _KINDS[path.suffix],
            )
            for name, folder in folders.items()
            for path in sorted(folder.rglob("*"))
            if path.suffix in _KINDS
        }

    def file_route(self) -> Route:
        """Return the route of its files."""
        files = self.files()

        async def answer(request: Request) -> Response:
            found = files.get(f"static/{request.path_params['path']}")
            if found is None:
                return Response("there is no such file", 404, media_type="text/plain")
            return Response(found[0], media_type=found[1])

        return Route("/static/{path:path}", answer)


def shell(
    title: str, *, scripts: Sequence[str] = (), styles: Sequence[str] = ()
) -> Response:
    """Return a page that is empty but for its title; scripts fill its ``main``.

    Parameters
    ----------
    title : str
        Shown in the browser's tab, and as heading to those who have it read out.
    scripts, styles : sequence of str
        Modules and style sheets, as ``live/page.js`` below ``static/``.
    """
    sheets = "".join(
        f'<link rel="stylesheet" href="static/{escape(name)}">\n'
        for name in ("pages/style.css", *styles)
    )
    modules = "".join(
        f'<script type="module" src="static/{escape(name)}"></script>\n'
        for name in scripts
    )
    return Response(
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n"
        '<link rel="icon" type="image/svg+xml" href="static/pages/icon.svg">\n'
        '<script src="static/pages/theme.js"></script>\n'
        f"{sheets}{modules}</head>\n<body>\n"
        '<main id="main" tabindex="-1"><noscript>This page needs JavaScript: all that '
        "it runs comes from this machine.</noscript></main>\n</body>\n</html>\n",
        media_type="text/html",
    )


def json_answer(plain: Any, status: int = 200) -> Response:
    """Return plain data as an answer; numbers that JSON does not have become null."""
    try:
        text = json.dumps(plain, allow_nan=False, separators=(",", ":"))
    except ValueError:
        text = json.dumps(_finite(plain), allow_nan=False, separators=(",", ":"))
    # Text of tasks may have halves of letters, which `json` writes as escapes.
    return Response(text, status, media_type="application/json")


def _finite(plain: Any) -> Any:
    if isinstance(plain, float):
        return plain if plain - plain == 0 else None
    if isinstance(plain, dict):
        return {name: _finite(value) for name, value in plain.items()}
    if isinstance(plain, (list, tuple)):
        return [_finite(value) for value in plain]
    return plain
