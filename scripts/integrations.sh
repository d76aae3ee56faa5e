#!/usr/bin/env bash
# Runs integrations/ on Ray, Spark and Dask themselves, in an environment of their own: 1.6 GB, once.
#
#   --venv DIR      where the engines are installed; default: a folder of the user's cache
#   --binary PATH   a densenet that is built already
#   --bench         measures pictures per second instead, and prints a table
#   anything else   goes to pytest, or to integrations/bench.py
#
# Exit status 77: the engines cannot be had, or there is no Java of 17 or newer, which Spark runs on.
set -euo pipefail

venv=${XDG_CACHE_HOME:-$HOME/.cache}/densenet-wgpu-engines binary='' bench='' arguments=()
while [ $# -gt 0 ]; do
    case $1 in
        --venv) venv=$(realpath -m "${2:?a folder}") && shift 2 ;;
        --binary) binary=$(realpath "${2:?a path}") && shift 2 ;;
        --bench) bench=yes && shift ;;
        -h | --help) sed -n '2,/^set/{s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" && exit ;;
        *) arguments+=("$1") && shift ;;
    esac
done
cd "$(dirname "${BASH_SOURCE[0]}")/.."

java -version 2>&1 | grep -Eq 'version "(1[7-9]|[2-9][0-9])' || { echo "no Java of 17 or newer: apt-get install openjdk-17-jre-headless" && exit 77; }
requirements=integrations/requirements.txt
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
if ! cmp -s "$requirements" "$venv/installed.txt"; then
    "$venv/bin/python" -m pip install --quiet --requirement "$requirements" || { echo "$requirements could not be installed" && exit 77; }
    cp "$requirements" "$venv/installed.txt"
fi

# Tests take what other tests have built; what is measured is optimised.
target=$(realpath -m "${CARGO_TARGET_DIR:-target}") profile=(--profile dev) built=debug
[ -z "$bench" ] || { profile=(--release) && built=release; }
scripts/setup.sh
if [ -z "$binary" ]; then
    cargo build --quiet --locked "${profile[@]}" --package densenet-wgpu --package densenet-cli --features dicom,hub --bin densenet
    binary=$target/$built/densenet
fi
wheels=$target/engines/wheels
rm -rf "$wheels"
"$venv/bin/maturin" build --quiet --locked "${profile[@]}" --manifest-path python/Cargo.toml --out "$wheels"
"$venv/bin/python" -m pip install --quiet --no-deps --force-reinstall "$wheels"/densenet_wgpu-*.whl

export DENSENET_BINARY=$binary
if [ -n "$bench" ]; then
    exec "$venv/bin/python" integrations/bench.py ${arguments[@]+"${arguments[@]}"}
fi
exec "$venv/bin/python" -m pytest integrations/tests ${arguments[@]+"${arguments[@]}"}
