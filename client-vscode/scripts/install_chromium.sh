#!/usr/bin/env bash
# A browser for the tests: the machine's own, else Debian's where that may be installed.
#
# The names are those that tests/vscode/editor.py looks for; BONAFIX_CHROMIUM is another.
set -euo pipefail

give_up() {
  cat >&2 <<EOF
The tests in VS Code need Chromium, and $1.
Install one of these, then run the same command again:
  Debian         apt-get install chromium
  Fedora         dnf install chromium
  Arch Linux     pacman -S chromium
  any other      Google Chrome, with google-chrome on your PATH
or name one that is there already: BONAFIX_CHROMIUM=/path/to/chrome make test-vscode
EOF
  exit 1
}

if [ -n "${BONAFIX_CHROMIUM:-}" ]; then
  [ -x "$BONAFIX_CHROMIUM" ] && exit 0
  give_up "BONAFIX_CHROMIUM, $BONAFIX_CHROMIUM, is no program"
fi
for name in chromium chromium-browser google-chrome-stable google-chrome; do
  command -v "$name" >/dev/null && exit 0
done
command -v apt-get >/dev/null || give_up "there is none on your PATH"
[ "$(id -u)" -eq 0 ] || give_up "only root may install it here: use sudo"

echo "installing Chromium from Debian (once, about 350 MB)"
apt-get update --quiet --quiet \
  || give_up "apt-get update failed: is the network there?"
DEBIAN_FRONTEND=noninteractive apt-get install --quiet --quiet --yes \
  --no-install-recommends chromium \
  || give_up "apt-get install chromium failed: its last lines say why"
command -v chromium >/dev/null \
  || give_up "what apt-get installed as chromium has no such command (on Ubuntu it is a snap)"
