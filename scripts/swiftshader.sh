#!/usr/bin/env bash
# Gets SwiftShader, a software Vulkan that shares no code with Mesa, from Debian's package chromium-common, and prints the
# path of its description, for VK_DRIVER_FILES. Unpacked in target/, nothing is installed. Exit status 77: it cannot be had here;
# the reason is on standard error.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cannot() { printf 'swiftshader: %s\n' "$1" >&2 && exit 77; }

folder=$(realpath -m "${CARGO_TARGET_DIR:-target}/swiftshader")
if [ ! -e "$folder/root" ]; then
    for tool in apt-get dpkg-deb; do
        command -v "$tool" >/dev/null || cannot "$tool is missing: it comes from Debian's package chromium-common"
    done
    rm -rf "$folder"
    mkdir -p "$folder/unpacked"
    (cd "$folder" && apt-get -qq download chromium-common) >"$folder/log" 2>&1 || cannot "chromium-common could not be downloaded: $(tail -n 1 "$folder/log")"
    dpkg-deb -x "$folder"/chromium-common_*.deb "$folder/unpacked"
    # All at once: a folder that is there is whole.
    mv "$folder/unpacked" "$folder/root"
    rm "$folder"/chromium-common_*.deb
fi
echo "$folder/root/usr/lib/chromium/vk_swiftshader_icd.json"
