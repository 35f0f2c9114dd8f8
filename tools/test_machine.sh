#!/usr/bin/env bash
# Sees to it that this machine has what the tests run for real: PostgreSQL, a browser, npm. Debian's packages are
# installed where that needs no password; elsewhere it says what is missing, and fails unless told to do without.
set -euo pipefail

has_postgres() {
  command -v initdb >/dev/null 2>&1 || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null
}
has_chromium() {
  command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1
}
has_npm() {  # needed once: the schema is kept
  [ -e .venv/share/fhir-r4/fhir.schema.json ] || command -v npm >/dev/null 2>&1
}

missing=()
packages=()
need() {  # NAME PACKAGE VARIABLE WHAT-FOR
  [ "${!3:-}" = 1 ] && return
  "$1" && return
  packages+=("$2")
  missing+=("$2 is missing ($4). Debian, Ubuntu: sudo apt-get install $2   Without it: make test $3=1")
}
look() {
  missing=()
  packages=()
  need has_postgres postgresql NO_POSTGRES 'the audit store is tested on a real PostgreSQL'
  need has_chromium chromium NO_BROWSER 'the pages are tested in a real browser'
  need has_npm npm NO_R4_SCHEMA "HL7's JSON schema of R4 is fetched with it"
}

look
[ ${#packages[@]} = 0 ] && exit 0

if command -v apt-get >/dev/null 2>&1; then
  sudo=''
  if [ "$(id -u)" != 0 ]; then
    sudo='sudo -n'
  fi
  if [ -z "$sudo" ] || $sudo true 2>/dev/null; then
    echo "Installing ${packages[*]} for the tests"
    # PostgreSQL's package makes and starts a server of its own; the tests start theirs, so this one stays off.
    $sudo mkdir -p /etc/postgresql-common/createcluster.d
    echo 'create_main_cluster = false' | $sudo tee /etc/postgresql-common/createcluster.d/tests.conf >/dev/null
    $sudo apt-get update -qq || true
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" \
      >/dev/null || true
    look
  fi
fi

if [ ${#missing[@]} != 0 ]; then
  printf 'error: %s\n' "${missing[@]}" >&2
  exit 1
fi
