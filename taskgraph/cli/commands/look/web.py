"""`tg web`: the live page."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import click

from backends.errors import pip_install
from taskgraph.cli.arguments import jugfile_argument
from taskgraph.cli.sentences import completed, tell_address
from taskgraph.cli.words.jugfiles import require_jugfile
from taskgraph.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from backends.interface import Backend


@click.command("web")
@jugfile_argument
@click.argument("arguments", nargs=-1)
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option(
    "--port", default=0, show_default="any that is free", help="On which port."
)
@click.option("--open", "opened", is_flag=True, help="Show it in your browser.")
@click.option(
    "--allow-actions",
    is_flag=True,
    help="Let the page forget results, let failures run again, and undo.",
)
def command(
    jugfile: Path,
    store: str | None,
    arguments: tuple[str, ...],
    host: str,
    port: int,
    *,
    opened: bool,
    allow_actions: bool,
) -> int:
    """Show the tasks of JUGFILE as they run, and their results, in a browser.

    The address that is printed lets in whoever has it, and nobody else. The page reads
    the store as `tg status` does: workers need not know of it. Ctrl-C ends it.

    From another machine: ssh -L 8000:127.0.0.1:8000 HOST tg web --port 8000 JUGFILE
    """
    try:
        from taskgraph.live.page import LivePage
        from taskgraph.live.routes import site_of
        from taskgraph.pages import serve
    except ModuleNotFoundError as error:
        raise _not_installed(error.name) from error
    require_jugfile(jugfile)
    page = LivePage(
        _opener(jugfile, store),
        jugfile,
        arguments or None,
        address=store,
        act=_actor(jugfile, store) if allow_actions else None,
        sentence=lambda text: completed(text, str(jugfile), store, arguments),
    )
    page.start()
    try:
        serve(
            site_of(page),
            host=host,
            port=port,
            open_browser=opened,
            on_ready=tell_address,
            on_end=page.latest.close,
        )
    finally:
        page.close()
    return 0


def _not_installed(name: str | None) -> UsageError:
    return UsageError(
        f"pages need the extra web, as {name} is not installed: "
        + pip_install("starlette>=0.46", "uvicorn>=0.34")
    )


def _opener(jugfile: Path, store: str | None) -> Callable[[], Backend | None]:
    from backends.errors import NoStoreError
    from backends.opening import directory_of
    from taskgraph.cli.stores import open_store_of, store_url

    def opened() -> Backend | None:
        try:
            return open_store_of(jugfile, store)
        except NoStoreError:
            directory = directory_of(store_url(jugfile, store))
            if directory is None or directory.exists():
                raise
            return None

    return opened


def _actor(
    jugfile: Path, store: str | None
) -> Callable[[list[str]], tuple[int, str, str]]:
    """Return what calls `tg` for the page."""
    program = [sys.executable, "-P", "-c", "from taskgraph.cli import main; main()"]
    where = [] if store is None else ["--store", store]

    def call(words: list[str]) -> tuple[int, str, str]:
        name, *rest = words
        numbers = [word for word in rest if not word.startswith("-")]
        options = [word for word in rest if word.startswith("-")]
        command = [*program, name, *options, *where, "--", str(jugfile), *numbers]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        return done.returncode, done.stdout, done.stderr

    return call
