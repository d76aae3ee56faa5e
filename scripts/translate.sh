#!/usr/bin/env bash
# Writes every shader as drivers and browsers are given it to a folder, with a list: tests/shaders/written.rs.
#
#     scripts/translate.sh FOLDER
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

[ $# -eq 1 ] || { sed -n '2,/^set/{s/^# \{0,1\}//p}' "$0" >&2 && exit 2; }
rm -rf "$1"
mkdir -p "$1"
status=0
RUST_BACKTRACE=0 DENSENET_TRANSLATIONS=$1 cargo test --quiet --locked --features dicom,hub --test shaders -- --ignored translations_are_written >"$1/log" 2>&1 || status=$?
[ "$status" -eq 0 ] || { tail -n 20 "$1/log" >&2 && exit 1; }
