# Sourced by each script. Makes a temporary folder, and removes it at the end.
set -euo pipefail

helpers=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
# A server that does not run as root must be able to read its programs.
chmod 755 "$folder"
cp "$helpers"/*.js "$folder"

# need PROGRAM PACKAGE: ends the script if a program is missing.
need() {
  command -v "$1" >/dev/null && return
  echo "This script needs $1: install $2." >&2
  exit 2
}

need node 'Node.js 20.19 or later'
need npm npm

# install NAME@VERSION…: installs packages in the temporary folder.
install() {
  npm install --prefix "$folder" --no-audit --no-fund --loglevel=error --save-exact "$@" \
    >/dev/null
}

# check: runs the program on standard input. Its exit code is 1 if an expectation is not met.
check() {
  cat >"$folder/finding.js"
  (cd "$folder" && node --no-warnings finding.js)
}
