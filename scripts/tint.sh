#!/usr/bin/env bash
# Makes a pipeline of every shader, but those with matrices, which are naga's own, with Dawn and its Tint, and prints what came of
# it: on the Vulkan device that there is, Mesa's software one too from 25 on; where Dawn takes none, on SwiftShader
# (scripts/swiftshader.sh), which has no 16-bit floats. Exit status 1: one was refused.
#
# Needs Node.js; npm gets Dawn (scripts/webgpu.sh). Exit status 77: it cannot be had here; the reason is on standard error.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

command -v node >/dev/null || { echo "tint: Node.js is missing (https://nodejs.org; Debian: apt-get install nodejs)" >&2 && exit 77; }
dawn=$(scripts/webgpu.sh)
folder=${CARGO_TARGET_DIR:-target}/tint
scripts/translate.sh "$folder"
compile() {
    status=0
    NODEVICE_SELECT=1 timeout 600 "$@" node benches/tint/compile.mjs "$dawn" "$folder/list.tsv" >"$folder/table.tsv" 2>"$folder/log" || status=$?
}
compile env
if [ "$status" -eq 3 ]; then
    echo "tint: Dawn takes no device here: with SwiftShader"
    description=$(scripts/swiftshader.sh)
    compile env VK_DRIVER_FILES="$description" VK_ICD_FILENAMES="$description"
fi
[ "$status" -le 1 ] || { echo "tint: status $status: $(tail -n 1 "$folder/log")" >&2 && exit 1; }

# The device; for each shader how many variants, and the slowest; then what went wrong.
awk -F '\t' '
    $1 == "device" { print "tint: Dawn on " $2; next }
    { split($2, words, " "); if (!(words[1] in count)) rows[++last] = words[1]; count[words[1]]++ }
    $1 > slowest[words[1]] + 0 { slowest[words[1]] = $1 }
    NF > 2 { failed[++failures] = $2 ": " $3 }
    END {
        for (i = 1; i <= last; i++) printf "%-12s %4d variants, the slowest %5.2f s\n", rows[i], count[rows[i]], slowest[rows[i]]
        for (i = 1; i <= failures; i++) print "tint: " failed[i]
    }' "$folder/table.tsv"
made=$(awk -F '\t' 'NF == 2 && $1 != "device"' "$folder/table.tsv" | wc -l)
tried=$(awk -F '\t' '$1 != "device"' "$folder/table.tsv" | wc -l)
there=$(grep -c webgpu "$folder/list.tsv")
echo "tint: $made of $tried made$([ "$tried" -eq "$there" ] || echo "; $((there - tried)) need what this device has not")"
[ "$status" -eq 0 ] && [ "$made" -eq "$tried" ] && [ "$tried" -gt 30 ]
