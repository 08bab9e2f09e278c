# The steps of ./check, which sources this: one function step_<name> each, run from the root with -e.

step_setup() { scripts/setup.sh --check; }

# Only the version the files were formatted with can tell; another one wraps lines its own way.
step_format() {
  local version
  version=$(clang-format --version 2>/dev/null | sed -n 's/.*version \([0-9]*\).*/\1/p')
  if [ "$version" != 14 ]; then
    echo "skipped: clang-format 14 not found (found: ${version:-none})"
    return
  fi
  local wrong
  wrong=$(cpp_files | xargs -0 --no-run-if-empty clang-format --dry-run 2>&1 |
    sed -nE 's/^([^:]+):[0-9]+:[0-9]+: (warning|error).*/\1/p' | sort | uniq -c)
  if [ -n "$wrong" ]; then
    echo "places that clang-format would change (scripts/format.sh does it):"
    echo "$wrong"
    return 1
  fi
  echo "$(cpp_files | tr -cd '\0' | wc -c) files in order"
}

# The C++ files of this tree, NUL-separated; what git ignores is not looked at.
cpp_files() {
  git ls-files -z --cached --others --exclude-standard -- '*.hpp' '*.cpp' '*.h' '*.cu' ':!third_party' |
    while IFS= read -r -d '' file; do [ -e "$file" ] && printf '%s\0' "$file"; done
}

step_arrows() { python3 tools/check_arrows.py; }

step_core() {
  configure core
  build core
  tests core
}

step_release() {
  configure release -DSOFTTRICKS_TORCH=ON -DTORCH_DIR="$(torch_dir .venv)" \
    -DSOFTTRICKS_TESTS=ON -DSOFTTRICKS_BENCHMARKS=ON \
    -DSOFTTRICKS_PYTHON=ON -DPython_EXECUTABLE="$root/.venv-python/bin/python"
  build release
  tests release
}

# Inline functions that two instruction sets both emit out of line are one symbol to the linker,
# which keeps either: a plain machine could then be sent into AVX-512 code.
step_isa() {
  local folder=build/release/CMakeFiles list=build/check/isa isa shared
  for isa in 0 1 2; do
    [ -d "$folder/softtricks_kernels_$isa.dir" ] || { echo "skipped: one instruction set here"; return; }
    find "$folder/softtricks_kernels_$isa.dir" -name '*.o' -exec nm --defined-only {} + |
      awk '$2 ~ /^[WV]$/ {print $3}' | sort -u >"$list.$isa.symbols"
  done
  for isa in 1 2; do
    shared=$(comm -12 "$list.0.symbols" "$list.$isa.symbols" | c++filt)
    if [ -n "$shared" ]; then
      echo "kernels of instruction sets 0 and $isa share these functions:"
      echo "$shared"
      return 1
    fi
  done
  echo "no function is shared by two instruction sets"
}

step_python() {
  # An extension module that torch compiles must not fight the other steps for both cores.
  SOFTTRICKS_BUILD_DIR="$root/build/release" MAX_JOBS=$(job_count) \
    .venv-python/bin/python -m pytest tests/python -p no:cacheprovider --timeout 600 \
    --junitxml=build/check/python.xml 2>&1 | tee build/check/python.log
}

# The package as users install it: built in isolation, without PyTorch, from its source archive, and tried in
# fresh environments: NumPy alone, then each of these versions of PyTorch.
torch_versions=(2.10.0 2.15.0)
step_wheel() {
  local work=build/check/wheel uv=.venv/bin/uv version
  rm -rf "$work"
  mkdir -p "$work"
  export UV_HTTP_TIMEOUT=300
  # By the name that `release` calls the compiler, so that ccache knows its files again.
  CXX=c++ CMAKE_BUILD_PARALLEL_LEVEL=$(job_count) \
    "$uv" build --python "$root/.venv-python/bin/python" --out-dir "$work/dist" .
  fresh_environment "$work/numpy" pytest pytest-timeout
  SOFTTRICKS_TEST_INSTALLED=1 "$work/numpy/bin/python" -m pytest -p no:cacheprovider --timeout 600 \
    tests/python/test_{numpy,docstrings,package}.py 2>&1 | tee build/check/wheel.log
  for version in "${torch_versions[@]}"; do
    fresh_environment "$work/torch" "torch==$version"
    "$work/torch/bin/python" tests/python/wheel_torch.py
    rm -rf "$work/torch"
  done
}

fresh_environment() { # fresh_environment <folder> <packages beside the wheel>...
  "$uv" venv -q --python "$root/.venv-python/bin/python" "$1"
  "$uv" pip install -q --python "$1/bin/python" "$work"/dist/*.whl "${@:2}"
}

# Needs the command line and the operators of step release.
step_docs() { scripts/docs.sh; }

step_asan() {
  configure asan
  build asan
  tests asan
}

# The thread sanitizer needs addresses laid out as it expects, also where the kernel randomises more.
# Only the pool's own tests and the laws of batches run anything in threads.
step_tsan() {
  local steady=()
  if setarch "$(uname -m)" -R true 2>/dev/null; then steady=(setarch "$(uname -m)" -R); fi
  configure tsan
  "${steady[@]}" cmake --build --preset tsan -j "$(job_count)" \
    --target test_threads test_perturbations test_laws
  "${steady[@]}" env GTEST_FILTER='ThreadPool*:*atch*' \
    bash -c "source scripts/common.sh; source scripts/check_steps.sh; tests tsan -R 'threads|perturbations|laws'"
}

# The core's headers as the library's own files see them.
step_tidy() {
  local file found=0
  for file in src/*.cpp; do
    # Without errors of its own, clang-tidy still counts on stderr the warnings it left out.
    clang-tidy --quiet "$file" -- -std=c++20 -Iinclude -Isrc -march=x86-64-v3 -Wno-psabi \
      -DSOFTTRICKS_ISA=1 -DSOFTTRICKS_ISA_COUNT=3 2>/dev/null || found=1
  done
  [ "$found" = 0 ] && echo "clang-tidy: nothing to say"
}

# A project that knows only the installed files builds and runs, also after the prefix has moved.
step_install() {
  local work
  work=$(mktemp -d)
  # shellcheck disable=SC2064
  trap "rm -rf '$work'" EXIT
  cmake --install build/release --prefix "$work/first" >"$work/install.log"
  mv "$work/first" "$work/prefix"
  cmake -S tests/consumer -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_PREFIX_PATH="$work/prefix" -DTORCH_DIR="$(torch_dir .venv)" >"$work/configure.log" ||
    { cat "$work/configure.log"; return 1; }
  cmake --build "$work/build" -j "$(job_count)"
  ctest --test-dir "$work/build" --output-on-failure --no-tests=error -O build/check/install.log
}

step_cuda() {
  if ! grep -q '^SOFTTRICKS_CUDA:BOOL=ON' build/release/CMakeCache.txt; then
    echo "skipped: no nvcc here"
    return
  fi
  cmake --build --preset cuda
}

# What a stranger types, with the smallest trainings; the second time it finds everything done.
step_quickstart() {
  local out=build/check/quickstart.run experiment
  rm -rf "$out"
  for experiment in graph-layout aspect-ratings aspect-ratings; do
    ./quickstart "$experiment" --preset test --out "$out/$experiment"
  done
}

tests() { # tests <preset> [options of ctest]
  ctest --preset "$1" -j "$(job_count)" --timeout 900 -O "build/check/$1.log" "${@:2}"
}

# ---- the closing lines ---------------------------------------------------------------------------

# The runner's own closing line of a step, where it ran tests.
closing_line() {
  case $1 in
    python | wheel) grep -E '^=+ .*(passed|failed|error).* =+$' "build/check/$1.log" | tail -n 1 ;;
    *) grep -E 'tests passed, [0-9]+ tests? failed out of' "build/check/$1.log" | tail -n 1 ;;
  esac
}

number_before() { # number_before <word> <text>
  sed -nE "s/.*[^0-9]([0-9]+) $1.*/\1/p" <<<" $2"
}

# add_up <step> <closing line>: into passed and bad.
add_up() {
  local all failures
  if [ "$1" = python ] || [ "$1" = wheel ]; then
    all=$(number_before passed "$2")
    failures=$(($(number_before failed "$2") + $(number_before 'errors?' "$2") + 0))
    passed=$((passed + ${all:-0})) bad=$((bad + failures))
  else
    all=$(sed -nE 's/.*out of ([0-9]+).*/\1/p' <<<"$2")
    failures=$(number_before 'tests? failed' "$2")
    passed=$((passed + all - failures)) bad=$((bad + failures))
  fi
}

# One line a step, the test runners' own lines, and the sum: a step without tests counts as one.
summary() {
  local name line before passed=0 bad=0
  for name in "$@"; do
    line=$(closing_line "$name" 2>/dev/null || true)
    before=$bad
    if [ -n "$line" ]; then add_up "$name" "$line"; fi
    if [ -e "build/check/$name.result" ]; then
      printf '%-8s ok\n' "$name"
      [ -n "$line" ] || passed=$((passed + 1))
    else
      printf '%-8s FAILED\n' "$name"
      [ "$bad" != "$before" ] || bad=$((bad + 1))
    fi
    [ -z "$line" ] || echo "$line"
  done
  echo "time     $(elapsed)"
  echo "$passed passed, $bad failed"
}
