#!/bin/sh
# sync.sh GROUP: makes .venv hold the locked group, and does nothing where it holds it already.
# A bigger environment serves a smaller group: `dev` holds all of `dashboard`, that all of `base`.
set -eu
group=$1
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
here=none
if [ -f .venv/.group ]; then here=$(cut -d' ' -f1 .venv/.group); fi
case "$here/$group" in
    dev/*) group=dev ;;
    dashboard/base) group=dashboard ;;
esac
want="$group $(cksum < "requirements/$group.txt")"
if [ -f .venv/.group ] && [ "$(cat .venv/.group)" = "$want" ]; then exit 0; fi

python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Python 3.11 or newer is needed; '$python' is $("$python" -V). Set PYTHON=/path/to/python3.11." >&2
    exit 1
}
echo "Installing the locked environment '$group' into .venv ..." >&2
if [ ! -x .uv/bin/uv ] || [ "$(cat .uv/.lock 2>/dev/null)" != "$(cksum < requirements/uv.txt)" ]; then
    "$python" -m venv --clear .uv
    .uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
    cksum < requirements/uv.txt > .uv/.lock
fi
[ -x .venv/bin/python ] || .uv/bin/uv venv --quiet --python "$python" .venv
# Where Python is told to keep no bytecode, each start would compile dagster and dbt anew.
compile=${PYTHONDONTWRITEBYTECODE:+--compile-bytecode}
.uv/bin/uv pip sync --quiet $compile --python .venv/bin/python --require-hashes "requirements/$group.txt"
echo "$want" > .venv/.group
