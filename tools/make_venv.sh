#!/bin/sh
# Make a virtual environment with a Python that suits: sh tools/make_venv.sh FOLDER
# Python 3.11 first, since constraints.txt was locked with it; PYTHON3=... chooses another.
set -eu
folder=$1
wanted="import sys; sys.exit(sys.version_info < (3, 11))"
without_venv=""

for candidate in ${PYTHON3:-} python3.11 python3.12 python3.13 python3 python; do
    command -v "$candidate" >/dev/null 2>&1 || continue
    "$candidate" -c "$wanted" >/dev/null 2>&1 || continue
    if ! "$candidate" -c "import ensurepip, venv" >/dev/null 2>&1; then
        without_venv=${without_venv:-$candidate}
        continue
    fi
    echo "Making $folder with $("$candidate" --version) ($(command -v "$candidate"))"
    rm -rf "$folder"
    exec "$candidate" -m venv "$folder"
done

if [ -n "$without_venv" ]; then
    version=$("$without_venv" -c "import sys; print('%d.%d' % sys.version_info[:2])")
    echo "$without_venv is Python $version, but its module venv is missing." >&2
    echo "On Debian or Ubuntu:  sudo apt-get install python$version-venv" >&2
    exit 1
fi
found=$(python3 --version 2>/dev/null || echo "no python3 at all")
echo "The book needs Python 3.11 or newer; found: $found." >&2
echo "Install one (Debian or Ubuntu: sudo apt-get install python3 python3-venv)," >&2
echo "or name it:  make book PYTHON3=/path/to/python3.11" >&2
exit 1
