#!/usr/bin/env bash
# A real VS Code for the tests: code-server by npm, into FOLDER, once.
#
# Its install scripts compile a terminal, a keyring and a database, for minutes and with
# a compiler; nothing that is tested needs them, so they are left out.
set -euo pipefail
folder=$1 version=$2
trap 'echo "VS Code could not be set up in $folder: npm says above why." \
  "It needs the npm registry and 700 MB; then run the same command again." >&2' ERR
quiet="--no-audit --no-fund --loglevel=error"

mkdir -p "$folder"
cd "$folder"
echo '{"name": "editor", "private": true}' >package.json
npm install $quiet --ignore-scripts --no-save "code-server@$version"
cd node_modules/code-server/lib/vscode
npm install $quiet --ignore-scripts --omit=dev
cd extensions
npm install $quiet --ignore-scripts --omit=dev
