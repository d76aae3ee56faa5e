#!/usr/bin/env bash
# Measures densenet beside ncnn, ONNX Runtime and PyTorch on this machine, and prints tables: benches/README.md.
#
#   --venv DIR             where the other engines are installed, once (some GB); default: a folder of the user's cache
#   --python PATH          an interpreter that has them already; with `python3` and nothing there, only densenet is measured
#   --python-webgpu PATH   one that has onnxruntime-webgpu, which cannot live with onnxruntime
#   --binary PATH          a densenet that is built already
#   --before PATH          an older one, measured in the same turns
#   --quick, --rounds N, --runs N, --batches N,N, --device D, --output FILE, --timeout S   as `scripts/compare.py --help` says
set -euo pipefail
from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf 'compare: %s\n' "$1" >&2; }

# A path as it was meant where this was called.
absolute() {
    case $1 in
        /*) echo "$1" ;;
        */*) echo "$from/$1" ;;
        *) echo "$2$1" ;;
    esac
}

case $(uname -s) in
    Darwin) venv=$HOME/Library/Caches ;;
    *) venv=${XDG_CACHE_HOME:-$HOME/.cache} ;;
esac
venv=$venv/densenet-wgpu-peers
binary='' python='' python_webgpu='' options=()
while [ $# -gt 0 ]; do
    case $1 in
        --quick | -h | --help) ;;
        *) [ $# -ge 2 ] || { say "$1 is no option, or takes a value: scripts/compare.sh --help" && exit 2; } ;;
    esac
    case $1 in
        --venv) venv=$(absolute "$2" "$from/") && shift 2 ;;
        --python) python=$(absolute "$2" '') && shift 2 ;;
        --python-webgpu) python_webgpu=$(absolute "$2" '') && shift 2 ;;
        --binary) binary=$(absolute "$2" "$from/") && shift 2 ;;
        --before) options+=("$1" "$(absolute "$2" "$from/")") && shift 2 ;;
        --output) options+=("$1" "$(absolute "$2" "$from/")") && shift 2 ;;
        --device | --timeout | --rounds | --runs | --batches) options+=("$1" "$2") && shift 2 ;;
        --quick) options+=("$1") && shift ;;
        -h | --help) sed -n '2,/^set/{s/^# \{0,1\}//p}' scripts/compare.sh && exit ;;
        *) say "no option is called $1: scripts/compare.sh --help" && exit 2 ;;
    esac
done

# An environment of its own with these packages; prints its interpreter. What cannot be installed is not measured.
environment() {
    local folder=$venv/$1 requirements=scripts/$2
    [ -x "$folder/bin/python" ] || python3 -m venv "$folder" >&2 || { echo python3 && return; }
    if ! cmp -s "$requirements" "$folder/installed.txt"; then
        say "installing $requirements in $folder"
        if "$folder/bin/python" -m pip install --quiet --requirement "$requirements" >&2; then
            cp "$requirements" "$folder/installed.txt"
        else
            say "$requirements could not be installed; what is missing is not measured"
        fi
    fi
    echo "$folder/bin/python"
}

if [ -z "$binary" ]; then
    scripts/setup.sh
    cargo build --release --quiet
    binary=${CARGO_TARGET_DIR:-target}/release/densenet
fi
[ -n "$python" ] || python=$(environment peers requirements-peers.txt)
[ -n "$python_webgpu" ] || python_webgpu=$(environment peers-webgpu requirements-peers-webgpu.txt)
exec python3 scripts/compare.py --binary "$binary" --python "$python" --python-webgpu "$python_webgpu" ${options[@]+"${options[@]}"}
