#!/usr/bin/env bash
# Gets the npm package `webgpu`, Dawn for Node.js, and prints its folder: Tint, FXC and DXC are in it. Kept in target/, never
# committed: 51 MB. Exit status 77: it cannot be had here; the reason is on standard error.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=0.6.2
digest=77a6be6513b9f7c2e94425620ce603efb38cdc5d0393e1b31a1b0c8479330ffd
cannot() { printf 'webgpu: %s\n' "$1" >&2 && exit 77; }

folder=${CARGO_TARGET_DIR:-target}/webgpu-$version
if [ ! -e "$folder/package" ]; then
    command -v npm >/dev/null || cannot "npm is missing (https://nodejs.org; Debian: apt-get install npm)"
    rm -rf "$folder"
    mkdir -p "$folder"
    npm pack --loglevel=error --pack-destination "$folder" "webgpu@$version" >"$folder/log" 2>&1 || cannot "npm could not get webgpu $version: $(head -n 1 "$folder/log")"
    found=$(sha256sum "$folder/webgpu-$version.tgz" | cut -d ' ' -f 1)
    [ "$found" = "$digest" ] || { echo "webgpu: expected webgpu $version with the digest $digest, found $found: read what changed before it is taken" >&2 && exit 1; }
    # All at once: a folder that is there is whole.
    mkdir "$folder/unpacked"
    tar -xzf "$folder/webgpu-$version.tgz" -C "$folder/unpacked"
    mv "$folder/unpacked/package" "$folder/package"
    rm "$folder/webgpu-$version.tgz"
fi
echo "$folder/package"
