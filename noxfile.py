"""Sessions over Pythons, numbas and installations: `uv run nox -l` lists them.

The Pythons are those of the classifiers in `pyproject.toml`. A version that is not
installed is skipped, but for the sessions that say otherwise.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import nox

nox.needs_version = ">=2026.7"
nox.options.default_venv_backend = "uv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "types", "tests", "numba", "wheel", "engine"]

PROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PROJECT)
PACKAGES = ("taskgraph", "backends", "segkit")
# What the engine and its stores need; all else that is installed is for images.
ENGINE = (
    "backports.zstd",
    "blake3",
    "click",
    "lazy-loader",
    "msgpack",
    "rich",
    "xxhash",
)
# What another Python might break first: names, keys, stores, imports.
SHORT = (
    "tests/golden",
    "tests/taskgraph/identity",
    "tests/backends/test_memory.py",
    "tests/segkit/test_import.py",
)
# The same with doctests of what is installed: where a missing file would show.
AWAY = (
    "tests/golden",
    "tests/backends/test_memory.py",
    "tests/segkit/test_import.py",
    "--pyargs",
    "taskgraph",
    "backends",
    "segkit.tiling",
    "segkit.pipeline",
)
JUGFILE = """
from taskgraph import TaskGenerator

@TaskGenerator
def double(x):
    return 2 * x

@TaskGenerator
def total(parts):
    return sum(parts)

answer = total([double(x) for x in range(7)])
"""


def _offer_all_of_pyenv() -> None:
    """Let the shims of pyenv find every Python that it has, not the chosen one only."""
    if shutil.which("pyenv"):
        listed = subprocess.run(
            ["pyenv", "versions", "--bare"], capture_output=True, text=True, check=False
        )
        ours = [v for v in listed.stdout.split() if v.startswith(tuple(PYTHONS))]
        os.environ["PYENV_VERSION"] = ":".join(ours)


def _is_installed(version: str) -> bool:
    """Return whether an interpreter of a version is there and starts."""
    found = shutil.which(f"python{version}")
    if found is None:
        return False
    return (
        subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode
        == 0
    )


def _newest() -> str:
    """Return the newest supported Python that is installed, else the oldest one."""
    return next(filter(_is_installed, reversed(PYTHONS)), PYTHONS[0])


def _requirements(*names: str) -> list[str]:
    """Return what `pyproject.toml` demands of some of the dependencies."""
    found = PROJECT["project"]["dependencies"]
    return [one for name in names for one in found if one.startswith(name)]


_offer_all_of_pyenv()


@nox.session(python=PYTHONS[0])
def lint(session: nox.Session) -> None:
    """Style, layers, fragments of the changelog."""
    session.install("-e", ".[dev]")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports")
    session.run("towncrier", "build", "--draft", "--version", "next", silent=True)


@nox.session(python=PYTHONS)
def types(session: nox.Session) -> None:
    """Types of the code, and of the public names as users see them."""
    session.install("-e", ".[dev]")
    session.run("mypy", "--python-version", str(session.python))
    session.run("mypy", "--python-version", str(session.python), "tests/typing/api.py")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run all tests, or those that are named."""
    session.install("-e", ".[test]")
    session.run("pytest", *session.posargs)


@nox.session(python=_newest())
def newest(session: nox.Session) -> None:
    """Run the tests of names, keys, stores, imports and files on the newest Python."""
    if session.python == PYTHONS[0]:
        session.skip(f"no Python newer than {session.python} is installed")
    session.install("-e", ".[test]", "polars")  # which jug imports, if it is there
    # Files of others: what reads them drops older Pythons, and so is newer here.
    session.run("pytest", "-q", *(session.posargs or (*SHORT, "tests/segkit/io")))


@nox.session(python=PYTHONS[0])
def lowest(session: nox.Session) -> None:
    """Start the commands, and test keys and images, with the least that we ask for."""
    session.install("-e", ".[test]", "--resolution", "lowest-direct")
    for command in ("tg", "segkit"):
        session.run(command, "--version")
    session.run("pytest", "-q", *(session.posargs or (*SHORT, "tests/segkit/io")))


@nox.session(python=PYTHONS[0])
@nox.parametrize("which", ["oldest", "newest"])
def numba(session: nox.Session, which: str) -> None:
    """Test kernels with the oldest and the newest numba that we allow."""
    (demanded,) = _requirements("numba")
    if which == "oldest":
        lowest = demanded.partition(">=")[2].partition(",")[0]
        demanded = f"numba=={lowest}.*"
    session.install("-e", ".[test]", demanded, "--upgrade-package", "numba")
    session.run("python", "-c", "import numba; print('numba', numba.__version__)")
    # What another version compiled must not be found; and who tells numba how to
    # compile (3 is its default) does not get the object files of the package.
    session.env["NUMBA_OPT"] = "3"
    session.env["NUMBA_CACHE_DIR"] = str(Path(session.create_tmp()).resolve())
    chosen = ("tests/segkit/compiled", "tests/segkit/windows", "tests/segkit/labelling")
    session.run("pytest", "-q", *(session.posargs or chosen))


@nox.session(python=PYTHONS[0])
def wheel(session: nox.Session) -> None:
    """Build wheel and sdist, look into them, and test the wheel far from here."""
    # `uv sync` has made the object files of kernels for its editable install.
    made = Path("segkit/compiled/objects").resolve()
    env = {"SEGKIT_OBJECTS": str(made)} if made.is_dir() else None
    built = _build(session, env)
    _check_contents(*built)
    away = Path(session.create_tmp()).resolve() / "away"
    shutil.rmtree(away, ignore_errors=True)
    for name in ("tests", "jugfiles"):
        shutil.copytree(name, away / name)
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(name, away)
    session.install(
        f"taskgraph-segkit[test] @ {built[0].resolve().as_uri()}",
        "--reinstall-package",
        "taskgraph-segkit",
    )
    session.chdir(away)
    where = "import segkit, sys; sys.exit('site-packages' not in segkit.__file__)"
    session.run("python", "-c", where)
    session.run("pytest", "-q", "-p", "no:cacheprovider", *(session.posargs or AWAY))
    (away / "answer.py").write_text(JUGFILE)
    session.run("tg", "execute", "answer.py", "-j", "2")


@nox.session(python=PYTHONS[0])
def engine(session: nox.Session) -> None:
    """Run tasks with the engine alone: without numpy, scikit-image and numba."""
    # Without object files of kernels (`hatch_build.py`), which the engine never uses.
    built, _ = _build(session, env={"HATCH_BUILD_NO_HOOKS": "true"})
    session.install(*_requirements(*ENGINE))
    session.install("--no-deps", "--reinstall", str(built))
    site = Path(session.virtualenv.location) / "lib"
    assert not list(site.glob("*/site-packages/numpy"))
    folder = Path(session.create_tmp()) / "engine"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "answer.py").write_text(JUGFILE)
    session.chdir(folder)
    session.run("tg", "execute", "answer.py", "-j", "2")
    session.run("tg", "status", "answer.py")
    value = session.run("tg", "value", "answer.py", "total", silent=True)
    assert "42" in str(value), value
    size = sum(p.stat().st_size for p in site.rglob("*") if p.is_file())
    session.log(f"the engine with all that it needs: {size / 1e6:.0f} MB")


@nox.session(python=PYTHONS[0])
def napari(session: nox.Session) -> None:
    """Test the plug-in in a real napari with a screen: 700 MB, so by this name only."""
    if not shutil.which("xvfb-run"):
        session.skip("needs xvfb: apt-get install xvfb libegl1 libxcb-cursor0")
    # Compiled now: napari takes minutes to import, else, where Python may not write.
    packages = ("-e", ".[test,napari]", "napari[pyqt6]")
    session.install("--compile-bytecode", *packages)
    screen = ("xvfb-run", "-a", "-s", "-screen 0 1280x1024x24")
    # Of packages that have plug-ins of pytest, as napari, it would compile all modules
    # anew to rewrite what they assert; so ours are named.
    ours = ("--disable-plugin-autoload", "-p", "pytest_timeout", "-p", "xdist.plugin")
    chosen = ("-m", "napari", "tests/segkit/napari")
    words = (*screen, "pytest", *ours, *chosen, *session.posargs)
    session.run(*words, external=True)


def _build(
    session: nox.Session, env: dict[str, str] | None = None
) -> tuple[Path, Path]:
    """Return the wheel and the sdist of this checkout."""
    folder = Path(session.create_tmp()) / "dist"
    shutil.rmtree(folder, ignore_errors=True)
    build = ("uv", "build", "--quiet", "--out-dir", str(folder))
    session.run(*build, external=True, env=env)
    (built,), (source,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return built, source


def _check_contents(built: Path, source: Path) -> None:
    """Fail if the wheel lacks a file of the packages, or the sdist one of ours."""
    tracked = subprocess.run(
        ["git", "ls-files"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    code = {
        name for name in tracked if name.startswith(tuple(f"{p}/" for p in PACKAGES))
    }
    in_wheel = {
        name for name in zipfile.ZipFile(built).namelist() if ".dist-info" not in name
    }
    objects = {name for name in in_wheel if name.startswith("segkit/compiled/objects/")}
    assert objects
    assert code == in_wheel - objects, sorted(code ^ in_wheel)
    with tarfile.open(source) as archive:
        in_sdist = {name.partition("/")[2] for name in archive.getnames()}
    ours = {name for name in tracked if not name.startswith((".", "uv.lock"))}
    assert ours <= in_sdist, sorted(ours - in_sdist)
