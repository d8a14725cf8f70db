#!/usr/bin/env bash
# Checks every shell script of the project.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! command -v shellcheck >/dev/null; then
  echo 'shellcheck is not installed (Debian and Ubuntu: sudo apt-get install shellcheck; macOS: brew install shellcheck)' >&2
  exit 1
fi
mapfile -t scripts < <(git ls-files --cached --others --exclude-standard '*.sh' .ci/run)
shellcheck --external-sources --source-path=nodes "${scripts[@]}"
