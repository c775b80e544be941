#!/bin/sh
# Make .venv ready: the packages of pyproject.toml in the versions of constraints.txt.
# Usage: sh tools/make_venv.sh [PYTHON]    (without PYTHON: the first suitable one on the PATH)
#
# A .venv that works is brought up to date in place. It is built anew only where it is missing or
# broken, or where its Python is not the one it should be.
set -eu

stop() {
    printf '%s\n' "$@" >&2
    exit 1
}

suitable() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

minor() {
    "$1" -c 'import sys; print(sys.version_info[1])'
}

# uv builds environments, and fetches the Python for one; its installer puts it into ~/.local/bin.
uv=$(command -v uv || command -v "${HOME:-}/.local/bin/uv" || true)

with_uv() {
    rm -rf .venv
    "$uv" venv --quiet --seed --python "$1" .venv
}

works() {
    suitable .venv/bin/python && .venv/bin/python -m pip --version >/dev/null 2>&1
}

if [ "$(uname -sm)" = "Darwin x86_64" ]; then
    stop "TensorFlow has no package for a Mac with an Intel processor (uname -sm: Darwin x86_64)." \
        "Run this on Linux, on a cloud machine or in a container: docs/trouble.md has the line." \
        "(On a Mac with an M processor, this terminal is translated: open one that is not.)"
fi

python=${1:-}
found=
if [ -n "$python" ]; then
    suitable "$python" || stop "PYTHON=$python is $("$python" --version 2>/dev/null || echo "no Python"): name one of 3.11, 3.12 or 3.13, such as make lab PYTHON=/path/to/python3.12"
elif ! works; then
    for candidate in python3 python3.13 python3.12 python3.11 python; do
        if command -v "$candidate" >/dev/null 2>&1; then
            if suitable "$candidate"; then
                python=$candidate
                break
            fi
            found=${found:-$("$candidate" --version 2>/dev/null || true)}
        fi
    done
fi

update=
if works && { [ -z "$python" ] || [ "$(minor "$python")" = "$(minor .venv/bin/python)" ]; }; then
    if [ -e .venv/.ready ]; then
        update=yes
        echo "Bringing .venv up to date ($(.venv/bin/python --version))."
    else
        echo "Going on with the .venv that is there ($(.venv/bin/python --version))."
    fi
elif [ -n "$python" ] && "$python" -c 'import venv, ensurepip' 2>/dev/null; then
    echo "Setting up .venv with $("$python" --version): once, about 2 GB on disk, some minutes."
    "$python" -m venv --clear .venv
elif [ -n "$uv" ]; then
    echo "Setting up .venv with uv and ${python:-Python 3.12}: once, about 2 GB on disk, some minutes."
    with_uv "${python:-3.12}"
elif [ -n "$python" ]; then
    stop "$("$python" --version) has no venv module. On Debian and Ubuntu this line brings it; then run make again:" \
        "    sudo apt install python3-venv"
else
    stop "Bigger than RAM needs Python 3.11, 3.12 or 3.13 (found: ${found:-none})." \
        "This line brings uv, which fetches one and leaves yours as it is; then run make again:" \
        "    curl -LsSf https://astral.sh/uv/install.sh | sh" \
        "If you have one that is not on the PATH: make lab PYTHON=/path/to/python3.12"
fi

# pip says what it does, with a bar for each download. In an update, only what changes: not the
# hundred and fifty packages that are right already.
install() {
    .venv/bin/python -m pip install --disable-pip-version-check \
        --constraint constraints.txt --editable '.[dev]'
}

rm -f .venv/.ready
if [ -n "$update" ]; then
    { install && touch .venv/.ready; } | grep -v '^Requirement already satisfied' || true
    [ -e .venv/.ready ] || exit 1
else
    install
    touch .venv/.ready
fi
