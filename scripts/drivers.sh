#!/usr/bin/env bash
# Runs the same on every implementation of Vulkan that can be had on a Linux machine: the report of `densenet report` (self-test,
# digits and a DenseNet-121 beside the reference, times) and the tests of kernels and devices. Prints a table in Markdown, with
# versions. Exit status 1: something failed on one of them.
#
#     scripts/drivers.sh [FOLDER]     the reports go to FOLDER (default: target/drivers)
#
# Implementations: this machine's default; Mesa's llvmpipe of Debian bookworm and sid, each in a root of its own
# (scripts/in-debian.sh); SwiftShader (scripts/swiftshader.sh). What cannot be had here is a row that says why.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=${CARGO_TARGET_DIR:-target}
folder=${1:-$target/drivers}
mkdir -p "$folder"
failed=0
report=(report) skipped=()
tests=(cargo test --quiet --locked --features "dicom,hub" --test kernels --test limits --test loss --test digits)

swiftshader() {
    local description
    description=$(scripts/swiftshader.sh) || return
    env VK_DRIVER_FILES="$description" VK_ICD_FILENAMES="$description" "$@"
}

here() { "$@"; }

# Runs everything on one implementation, and prints its row.
row() {
    local name=$1 json=$folder/${1//[^a-zA-Z0-9]/-}.json log=$folder/${1//[^a-zA-Z0-9]/-}.log status=0 result=passed
    shift
    rm -f "$json"
    DENSENET_CACHE_DIR='' "$@" "$target/debug/densenet" "${report[@]}" --output "$json" >"$log" 2>&1 || status=$?
    if [ "$status" -eq 77 ]; then
        echo "| $name | not run: $(tail -n 1 "$log") | | | | |"
        return
    fi
    local found='no report | | '
    [ ! -e "$json" ] || found=$(python3 scripts/report_row.py "$json")
    "$@" "${tests[@]}" -- "${skipped[@]}" >>"$log" 2>&1 || result="**failed**: $(grep -m 3 -E '^test .* FAILED|^error' "$log" | paste -sd ';')"
    [ "$status" -eq 0 ] && [ "$result" = passed ] || failed=1
    echo "| $name | $found | $([ "$status" -eq 0 ] && echo passed || echo "**status $status**") | $result |"
}

cargo build --quiet --locked --package densenet-wgpu --package densenet-cli --features "dicom,hub" --bin densenet --test documentation >&2
"${tests[@]}" --no-run >&2
echo "| implementation | device and driver | values that agree with the reference: digits, DenseNet-121 | DenseNet-121, f32 | report | tests of kernels, limits, loss, digits |"
echo "| --- | --- | --- | ---: | --- | --- |"
row "this machine's" here
row "Mesa of Debian bookworm" scripts/in-debian.sh bookworm
row "Mesa of Debian sid" scripts/in-debian.sh sid
# SwiftShader takes minutes for a DenseNet-121 at 224x224, and hours for every tile at every odd size.
report=(report --size 32x32) skipped=(--skip convolutions)
row "SwiftShader, at 32x32, without the tables of convolutions" swiftshader
exit "$failed"
