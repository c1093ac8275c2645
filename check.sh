#!/usr/bin/env bash
# Set up and check everything: bash check.sh [arguments for pytest]
# On a bare Debian machine it installs what the tests need; elsewhere it says what is missing.
set -euo pipefail
cd "$(dirname "$0")"

[ -x .uv/bin/uv ] || python3 -m pip install --quiet --target .uv uv
uv=.uv/bin/uv
$uv sync --quiet --compile-bytecode --extra dev

if ! command -v strace >/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get -qq update && apt-get -qq install --no-install-recommends -y strace >/dev/null
  else
    echo "check.sh: the fault tests need strace; install it first" >&2
    exit 1
  fi
fi

run() { echo "+ $*"; "$uv" run --no-sync "$@"; }
run ruff check .
run ruff format --check .
run mypy
run mypy tests/typing/api.py # the public names, as users' type checkers see them
run lint-imports
run nox -s newest wheel engine # a newer Python if there is one; installed elsewhere; alone
run pytest "$@"
