#!/bin/sh
# Debian's Chromium and Chinese fonts, for the tests of the dashboard; nothing where both are there.
set -eu
if command -v chromium > /dev/null && [ -d /usr/share/fonts/opentype/noto ]; then exit 0; fi
if [ "$(id -u)" -ne 0 ]; then
    echo "As root: apt-get update && apt-get install chromium fonts-noto-cjk" >&2
    exit 1
fi
echo "Installing Debian's Chromium ..." >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk > /dev/null
