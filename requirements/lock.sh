#!/bin/sh
# Resolves requirements/*.in anew into hashed locks, one resolution for all groups.
# No registry address is written: whoever installs uses the registry they trust.
set -eu
cd "$(dirname "$0")"
uv=../.uv/bin/uv
options="--universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --quiet"
# dev holds everything; the other groups are cut out of the same resolution.
"$uv" pip compile $options "$@" dev.in -o dev.txt
"$uv" pip compile $options -c dev.txt dashboard.in -o dashboard.txt
"$uv" pip compile $options -c dev.txt base.in -o base.txt
"$uv" pip compile $options client.in -o client.txt
"$uv" pip compile $options uv.in -o uv.txt
