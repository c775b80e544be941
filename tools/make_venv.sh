#!/bin/sh
# Build .venv from pyproject.toml with the versions in constraints.txt.
# Usage: sh tools/make_venv.sh [PYTHON]    (without PYTHON: the first suitable one on the PATH)
set -eu

suitable() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

python=${1:-}
if [ -z "$python" ]; then
    for candidate in python3 python3.13 python3.12 python3.11 python; do
        if command -v "$candidate" >/dev/null 2>&1 && suitable "$candidate"; then
            python=$candidate
            break
        fi
    done
fi
if [ -z "$python" ] || ! suitable "$python"; then
    found=$("${python:-python3}" --version 2>/dev/null || true)
    echo "Bigger than RAM needs Python 3.11, 3.12 or 3.13 (found: ${found:-none}): install one, or name it: make lab PYTHON=/path/to/python3.12" >&2
    exit 1
fi
if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
    echo "$("$python" --version) has no venv module: install it (Debian, Ubuntu: sudo apt install python3-venv) and run make again" >&2
    exit 1
fi

echo "Setting up .venv with $("$python" --version) (once; about 2 GB on disk, a few minutes)."
"$python" -m venv --clear .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check \
    --constraint constraints.txt --editable '.[dev]'
touch .venv/.ready
