# Shared by quickstart, check and scripts/setup.sh, which source it. bash only.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
cd "$root"
start_seconds=${start_seconds:-$SECONDS}

# Another environment's settings (a virtual environment, conda, a CUDA shell) must not leak into this
# build: everything here uses its own interpreter, compiler flags and libraries.
unset VIRTUAL_ENV CONDA_PREFIX PYTHONHOME PYTHONPATH PYTHONSTARTUP TORCH_DIR
unset CC CXX CFLAGS CXXFLAGS CPPFLAGS LDFLAGS CPATH LIBRARY_PATH LD_LIBRARY_PATH
unset CMAKE_PREFIX_PATH CMAKE_GENERATOR CMAKE_BUILD_TYPE UV_PYTHON UV_PROJECT_ENVIRONMENT
export PYTHONNOUSERSITE=1

if [ -t 1 ]; then bold=$'\e[1m' red=$'\e[31m' plain=$'\e[0m'; else bold= red= plain=; fi

elapsed() { printf '%d:%02d' $(((SECONDS - start_seconds) / 60)) $(((SECONDS - start_seconds) % 60)); }

step() { printf '\n%s== [%s] %s%s\n' "$bold" "$(elapsed)" "$*" "$plain"; }

# die <what happened> <what to do>: the last line a failing script prints.
die() {
  printf '\n%sError: %s. %s%s\n' "$red" "$1" "${2:-}" "$plain" >&2
  exit 1
}

# As many compilers at once as there are cores, and 2 GB of memory for each.
job_count() {
  local cores memory
  cores=$(nproc 2>/dev/null || echo 1)
  memory=$(awk '/^MemAvailable/ {print int($2 / 2000000)}' /proc/meminfo 2>/dev/null || echo 1)
  [ "${memory:-0}" -lt 1 ] && memory=1
  echo "${JOBS:-$((cores < memory ? cores : memory))}"
}

free_gb() { df -Pk "$root" | awk 'NR == 2 {print int($4 / 1000000)}'; }

need_disk() { # need_disk <GB>
  [ "$(free_gb)" -ge "$1" ] || die "$(free_gb) GB free in $root, $1 GB needed" "Free some space and run this again."
}

need_writable() {
  [ -w "$root" ] || die "no permission to write in $root" \
    "Run this as the owner of the folder, or clone the repository to a folder of your own."
}

# configure <preset> [cmake arguments]: again from scratch where the folder was built elsewhere.
configure() {
  local preset=$1 cache="build/$1/CMakeCache.txt"
  shift
  if [ -e "$cache" ] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$cache"; then
    rm -rf "build/$preset"
  fi
  local log="build/configure-$preset.log"
  mkdir -p build
  cmake --preset "$preset" "$@" >"$log" 2>&1 || { cat "$log" >&2; return 1; }
}

build() { # build <preset> [targets]
  local preset=$1
  shift
  cmake --build --preset "$preset" -j "$(job_count)" ${@:+--target "$@"}
}

torch_dir() { # the torch folder of the virtual environment $1
  local found=("$root/$1"/lib/python3*/site-packages/torch)
  echo "${found[0]}"
}
