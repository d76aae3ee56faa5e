#!/usr/bin/env bash
# Compiles every shader in HLSL with Microsoft's FXC and DXC, under Wine, and prints what came of it. Exit status 1: one did not
# compile, or not within 20 seconds. Tried with a store to a vector's component by a variable index (shaders/README.md): FXC does
# not come back from the first variant of conv_tiled.wgsl.
#
# Needs Wine and mingw (Debian: wine64 gcc-mingw-w64-x86-64), no display; npm gets the compilers (scripts/webgpu.sh). Exit status
# 77: it cannot be had here; the reason is on standard error.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cannot() { printf 'hlsl: %s\n' "$1" >&2 && exit 77; }
wine=$(PATH=$PATH:/usr/lib/wine command -v wine64) || cannot "Wine is missing (Debian: apt-get install wine64)"
compiler=x86_64-w64-mingw32-gcc
command -v "$compiler" >/dev/null || cannot "$compiler is missing (Debian: apt-get install gcc-mingw-w64-x86-64)"
dlls=$(scripts/webgpu.sh)/dist/win32-x64

folder=$(realpath -m "${CARGO_TARGET_DIR:-target}/hlsl")
rm -rf "$folder"
scripts/translate.sh "$folder"
"$compiler" -O2 -static -o "$folder/compile.exe" benches/hlsl/compile.c -lversion
# A Wine of our own, with no compiler of its own in place of Microsoft's.
export WINEPREFIX=$folder/wine WINEDEBUG=-all WINEDLLOVERRIDES="d3dcompiler_47=n;mscoree=;mshtml="
trap 'WINEPREFIX=$folder/wine "${wine%64}server64" --kill 2>/dev/null || true' EXIT
status=0
timeout 900 "$wine" "$folder/compile.exe" "$dlls/d3dcompiler_47.dll" "$dlls/dxcompiler.dll" "$folder/list.tsv" >"$folder/table.tsv" 2>"$folder/log" || status=$?
[ "$status" -le 1 ] && [ -s "$folder/table.tsv" ] || { echo "hlsl: status $status: $(tail -n 3 "$folder/log")" >&2 && exit 1; }

# Versions; for each compiler and shader how many variants, and the slowest; then what went wrong.
awk -F '\t' '
    NF == 2 { print "hlsl: " $1 " " $2; next }
    { split($4, words, " "); row = $1 " " words[1]; if (!(row in count)) rows[++last] = row; count[row]++ }
    $2 > slowest[row] + 0 { slowest[row] = $2 }
    NF > 4 { failed[++failures] = $1 ": " $4 ": " $5 }
    END {
        for (i = 1; i <= last; i++) printf "%-16s %4d variants, the slowest %5.2f s\n", rows[i], count[rows[i]], slowest[rows[i]]
        for (i = 1; i <= failures; i++) print "hlsl: " failed[i]
    }' "$folder/table.tsv"
expected=$(grep -c 'hlsl' "$folder/list.tsv") found=$(awk -F '\t' 'NF == 4' "$folder/table.tsv" | wc -l)
echo "hlsl: $found of $expected compiled"
[ "$status" -eq 0 ] && [ "$found" -eq "$expected" ]
