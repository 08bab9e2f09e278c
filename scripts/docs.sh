#!/usr/bin/env bash
# Builds the documentation site into build/site; a warning is an error, and so is a link that leads nowhere.
#
#   scripts/docs.sh             build/site/index.html
#   scripts/docs.sh FOLDER      there
#
# Wants .venv-python (scripts/setup.sh --check) and build/release (./check release). PYTHON, SOFTTRICKS_CLI and
# SOFTTRICKS_TORCH_LIBRARY name others. Nothing is fetched: not when it is built, and not when it is read.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
python=${PYTHON:-.venv-python/bin/python}
site=${1:-build/site}
"$python" -m sphinx -q -W --keep-going -b html -c docs -d "$site/.cache" . "$site"
cat >"$site/index.html" <<'END'
<!doctype html>
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url=docs/index.html">
<a href="docs/index.html">softtricks</a>
END
"$python" docs/check_site.py "$site"
