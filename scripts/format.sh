#!/usr/bin/env bash
# Formats every C++ file of this tree, or the ones named, with clang-format 14.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [ $# = 0 ]; then
  git ls-files -z --cached --others --exclude-standard -- '*.hpp' '*.cpp' '*.h' '*.cu' |
    xargs -0 clang-format -i
else
  clang-format -i "$@"
fi
