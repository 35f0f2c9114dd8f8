#!/usr/bin/env bash
# Creates the virtual environment from the hash-pinned lock, and says what to install where the system lacks something.
set -euo pipefail
venv=${1:?usage: create_venv.sh DIRECTORY}

fits() {  # Python 3.11 or later
  "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}
has_venv() {
  "$1" -c 'import venv, ensurepip' >/dev/null 2>&1
}

python=''
without_venv=''
for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python3.14; do
  command -v "$candidate" >/dev/null 2>&1 && fits "$candidate" || continue
  if has_venv "$candidate"; then
    python=$candidate
    break
  fi
  without_venv=${without_venv:-$candidate}
done

if [ -z "$python" ]; then
  if [ -n "$without_venv" ]; then
    version=$("$without_venv" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    echo "error: $without_venv (Python $version) cannot create virtual environments." >&2
    echo "  Debian, Ubuntu:  sudo apt-get install python$version-venv" >&2
  else
    echo "error: Python 3.11 or later is needed, and none was found on the PATH." >&2
    echo "  Debian 12, Ubuntu 24.04 and later:  sudo apt-get install python3 python3-venv" >&2
    echo "  Fedora:  sudo dnf install python3     macOS:  brew install python" >&2
    echo "  or name one:  make install PYTHON=/path/to/python3" >&2
  fi
  exit 1
fi

if [ ! -x "$venv/bin/python" ] || ! fits "$venv/bin/python"; then
  echo "Creating $venv with $("$python" --version)"
  "$python" -m venv --clear "$venv"
fi
echo "Installing the locked dependencies into $venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
