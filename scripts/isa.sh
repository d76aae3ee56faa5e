#!/usr/bin/env bash
# Compiles every shader with AMD's own compiler, ACO of Mesa's RADV, for GPUs that are not there.
#
#     scripts/isa.sh            writes benches/results/isa.md and the budget of this Mesa, benches/isa/mesa-VERSION.tsv
#     scripts/isa.sh --check    compares with that budget. Exit status 1: a kernel for GPUs spills or needs scratch; fewer waves
#                               than in the budget, or a tenth less time for multiply-adds; a device that can do something else
#
# Needs a C compiler, Python 3, the Vulkan loader with its headers and RADV (Debian: gcc python3 libvulkan-dev
# mesa-vulkan-drivers). Exit status 77: it cannot be had here; the reason is on standard error. That the check fails when it
# should is tested by benches/isa/test_budget.py, which runs first.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() { sed -n '2,/^set/{s/^# \{0,1\}//p}' "$0" >&2 && exit 2; }
cannot() { printf 'isa: %s\n' "$1" >&2 && exit 77; }
case ${1:-} in
    '' | --check) [ $# -le 1 ] || usage ;;
    *) usage ;;
esac

for tool in cc python3; do
    command -v "$tool" >/dev/null || cannot "$tool is missing (Debian: apt-get install gcc python3)"
done
if [ -z "${VK_DRIVER_FILES:-}" ]; then
    drivers=(/usr/share/vulkan/icd.d/radeon_icd*.json)
    [ -e "${drivers[0]}" ] || cannot "Mesa's RADV is missing (Debian: apt-get install mesa-vulkan-drivers)"
    export VK_DRIVER_FILES=${drivers[0]}
fi
# Nothing from an earlier run, and no search for a desktop (cli/src/headless.rs).
export MESA_SHADER_CACHE_DISABLE=true NODEVICE_SELECT=1

folder=${CARGO_TARGET_DIR:-target}/isa
rm -rf "$folder"
mkdir -p "$folder"
echo '#include <vulkan/vulkan.h>' | cc -E -x c - >/dev/null 2>&1 || cannot "the Vulkan loader's headers are missing (Debian: apt-get install libvulkan-dev)"
cc -O2 -o "$folder/compile" benches/isa/compile.c -lvulkan
python3 -B -m unittest --quiet benches/isa/test_budget.py
scripts/translate.sh "$folder/translations"
for family in polaris10 vega10 mi200 navi10 navi21 navi31 gfx1201; do
    mkdir "$folder/$family"
    status=0
    # A driver aborts where it does not know the family: that is for the log.
    { RADV_FORCE_FAMILY=$family timeout 300 "$folder/compile" "$folder/translations/list.tsv" "$folder/$family" >"$folder/$family.tsv"; } 2>"$folder/log" || status=$?
    if grep -q "Unknown family" "$folder/log"; then
        echo "isa: this Mesa does not have $family" && rm "$folder/$family.tsv"
    elif [ "$status" -ne 0 ]; then
        echo "isa: $family: status $status: $(tail -n 1 "$folder/log")" && exit 1
    fi
done
if [ "${1:-}" = --check ]; then
    python3 -B benches/isa/report.py check "$folder"
else
    python3 -B benches/isa/report.py write "$folder" "$folder/translations/steps.tsv" benches/results/isa.md
fi
