#!/usr/bin/env bash
# Set up and check everything: bash check.sh [arguments for pytest]
# As root on Debian it installs what tests need; anybody else gets all that works without,
# and is told at the end what was left out.
set -euo pipefail
cd "$(dirname "$0")"

[ -x .uv/bin/uv ] || python3 -m pip install --quiet --target .uv uv
uv=.uv/bin/uv
# What is imported is compiled then, once, and kept: all that is installed would take a
# minute. Of ours, all is needed, by some thousand starts of `tg` (0.13 s each).
unset PYTHONDONTWRITEBYTECODE
$uv sync --quiet --extra dev
$uv run --no-sync python -m compileall -q backends taskgraph segkit

missing=()
for program in strace openssl redis-server; do
  command -v "$program" >/dev/null || missing+=("$program")
done
if [ ${#missing[@]} -gt 0 ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  { apt-get -qq update && apt-get -qq install --no-install-recommends -y "${missing[@]}"; } >/dev/null ||
    echo "check.sh: ${missing[*]} cannot be installed here" >&2
fi

# Meanwhile come Azurite, an Azure on this machine, and axe-core by npm (~/.cache has them the
# next time), and as root on Debian a browser.
{
  $uv run --no-sync python -m tests.backends.bucket.servers
  $uv run --no-sync python -m tests.browser.browsing
} >/dev/null 2>&1 &
by_npm=$!
browser=
if ! command -v chromedriver >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  { apt-get -qq update && apt-get -qq install --no-install-recommends -y \
    chromium chromium-driver fonts-dejavu-core; } >/dev/null 2>&1 &
  browser=$!
fi

run() { echo "+ $*"; "$uv" run --no-sync "$@"; }
run ruff check .
run ruff format --check .
run lint-imports
# The site, with its pictures, keeps one core busy nearly as long as all the rest before the
# tests. Then pytest compiles them, for half a minute: each of its workers would do so itself.
site=$(mktemp)
{
  run python -m sphinx -W --keep-going -q docs docs/_build/html >"$site" 2>&1 || exit 1
  run pytest --collect-only -qq >/dev/null 2>&1 || true # the tests will say why
} &
by_site=$!
failed=
{
  run mypy &&
    run mypy tests/typing/api.py && # the public names, as users' type checkers see them
    run nox -s newest wheel engine # a newer Python if there is one; installed elsewhere; alone
} || failed=1
wait $by_site || failed=1
cat "$site"
rm "$site"
[ -z "$failed" ] || exit 1
wait $by_npm || echo "check.sh: Azurite or axe-core cannot be installed here" >&2
[ -z "$browser" ] || wait "$browser" || echo "check.sh: chromium cannot be installed here" >&2
# Tests mostly wait, for processes that they started: one more at once than there are cores.
cores=$(nproc)
run pytest -n "$((cores < 7 ? cores + 1 : 8))" --dist loadfile -r s "$@" # at its end: what was skipped, and why
