#!/usr/bin/env bash
# Installs what building and training need; run again, it does only what is missing.
#
#   scripts/setup.sh            compiler, libraries, .venv: LibTorch and the packages of report and sweep (1.4 GB)
#   scripts/setup.sh --check    also test libraries, linters, PostgreSQL and .venv-python: all of PyTorch, pytest (5.4 GB)
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

uv_version=0.13.9

# ---- the system's packages -------------------------------------------------------------------
has_command() { command -v "$1" >/dev/null 2>&1; }
has_header() { has_command g++ && printf '#include <%s>\n' "$1" | g++ -std=c++20 -E -x c++ - >/dev/null 2>&1; }
version_at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

# The first Python that the pinned packages have wheels for; its venv module may still be missing.
find_python() {
  local candidate
  for candidate in "${SOFTTRICKS_PYTHON:-python3}" python3.11 python3.12 python3.13 python3.14 /usr/bin/python3; do
    if has_command "$candidate" &&
      "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}
# Does the Python that will be used lack its venv module? (Without any: check_versions speaks.)
lacks_venv() { local found; found=$(find_python) && ! "$found" -c 'import venv, ensurepip' 2>/dev/null; }

# Names of the Debian packages that are missing, found by what they provide.
missing_packages() {
  has_command g++ || echo g++
  has_command cmake || echo cmake
  has_command ninja || echo ninja-build
  has_command python3 || printf '%s\n' python3 python3-venv
  ! lacks_venv || echo python3-venv
  has_header CLI/CLI.hpp || echo libcli11-dev
  has_header nlohmann/json.hpp || echo nlohmann-json3-dev
  if [ "$for_check" = yes ]; then
    has_header gtest/gtest.h || echo libgtest-dev
    has_header mpfr.h || echo libmpfr-dev
    has_header gmp.h || echo libgmp-dev
    has_header boost/multiprecision/mpfr.hpp || echo libboost-dev
    has_command ccache || echo ccache
    has_command clang-format || echo clang-format
    has_command clang-tidy || echo clang-tidy
    # Where there is no apt-get, its tests skip.
    ! has_command apt-get || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || echo postgresql
  fi
}

# Runs a command that may install PostgreSQL, without its creating and starting a server: the tests start their own.
without_server() {
  local folder=/etc/postgresql-common/createcluster.d status=0
  mkdir -p "$folder"
  echo 'create_main_cluster = false' >"$folder/softtricks.conf"
  "$@" || status=$?
  rm "$folder/softtricks.conf"
  rmdir --ignore-fail-on-non-empty -p "$folder"
  return "$status"
}

install_packages() {
  local missing
  missing=$(missing_packages | sort -u | xargs)
  [ -n "$missing" ] || { echo "system packages: all there"; return; }
  echo "system packages missing: $missing"
  has_command apt-get || die "these Debian packages, or your system's like, are missing: $missing" \
    "Install them (g++ 12, CMake 3.25, Ninja, Python 3.11, CLI11, nlohmann-json) and run this again."
  if [ "$(id -u)" != 0 ]; then
    die "system packages are missing" "Run: sudo apt-get update && sudo apt-get install -y $missing"
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq || die "apt-get update failed" "Check the network and /etc/apt/sources.list, then run this again."
  # shellcheck disable=SC2086
  without_server apt-get install -y -qq --no-install-recommends $missing >/dev/null ||
    die "apt-get could not install $missing" "See the message above: network, disk space, or another apt-get running."
  missing=$(missing_packages | sort -u | xargs)
  [ -z "$missing" ] || die "still missing after apt-get: $missing" "Install them by hand and run this again."
}

check_versions() {
  local found
  found=$(g++ -dumpfullversion)
  version_at_least "$found" 12 || die "g++ $found is too old" "Install g++ 12 or later, first on PATH."
  found=$(cmake --version | awk 'NR == 1 {print $3}')
  version_at_least "$found" 3.25 || die "cmake $found is too old" "Install CMake 3.25 or later, first on PATH."
  find_python >/dev/null || die "no Python from 3.11 to 3.14 found (python3 is $(python3 -V 2>&1))" \
    "Install one and name it: SOFTTRICKS_PYTHON=/path/to/python3.11 $0"
}

# ---- virtual environments ----------------------------------------------------------------------
stamp_of() { # what an environment is made from
  { cat "$@"; echo "uv $uv_version"; } | sha256sum | cut -d' ' -f1
}

# make_environment <folder> <names of requirements> <GB to have> [uv arguments]
make_environment() {
  local folder=$1 names=$2 gigabytes=$3 name files=() arguments=()
  shift 3
  for name in $names; do
    files+=("scripts/requirements/$name.txt")
    arguments+=(-r "scripts/requirements/$name.txt")
  done
  local stamp="$folder/softtricks-stamp" wanted
  wanted=$(stamp_of "${files[@]}")
  if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && "$folder/bin/python" -c '' 2>/dev/null; then
    echo "$folder: up to date"
    return
  fi
  need_disk "$gigabytes"
  rm -f "$stamp"
  # An interpreter that is gone, or a folder copied from elsewhere, can't be mended.
  if ! "$folder/bin/python" -c 'import pip' 2>/dev/null; then
    "$(find_python)" -m venv --clear "$folder" ||
      die "could not make the virtual environment $folder" "See the message above, remove $folder and run this again."
  fi
  local network="Check the network, a proxy and disk space, and run this again: what was downloaded is kept."
  "$folder/bin/python" -m pip install -q --disable-pip-version-check "uv==$uv_version" ||
    die "pip could not download uv" "$network"
  UV_HTTP_TIMEOUT=300 "$folder/bin/python" -m uv pip install --python "$folder/bin/python" \
    "${arguments[@]}" "$@" || die "uv could not install ${files[*]}" "$network"
  echo "$wanted" >"$stamp"
}

for_check=no
case "${1:-}" in
  "") ;;
  --check) for_check=yes ;;
  *) die "unknown argument '$1'" "usage: scripts/setup.sh [--check]" ;;
esac

need_writable
install_packages
check_versions
make_environment .venv programs 4 --no-deps
if [ "$for_check" = yes ]; then
  make_environment .venv-python "python docs parity jax" 8
fi
