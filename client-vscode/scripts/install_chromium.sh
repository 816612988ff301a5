#!/usr/bin/env bash
# A browser for the tests: the machine's own, else Debian's where that may be installed.
set -euo pipefail
for name in chromium chromium-browser google-chrome-stable google-chrome; do
  command -v "$name" >/dev/null && exit 0
done
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "the tests in VS Code need Chromium; on Debian: apt-get install chromium" >&2
  exit 1
fi
apt-get update --quiet --quiet
DEBIAN_FRONTEND=noninteractive apt-get install --quiet --quiet --yes \
  --no-install-recommends chromium
