#!/usr/bin/env bash
# Runs a command in a Debian of its own, which has another Mesa than this machine, on its software device; what was built here
# runs there.
#
#     scripts/in-debian.sh [--with PACKAGES] SUITE COMMAND…     bookworm has Mesa 22.3, sid the newest
#
# The first run makes it, which takes a minute and 0.7 GB, below $DENSENET_DEBIANS (default: a folder of the user's cache).
# Needs root, debootstrap and unshare. Exit status 77: it cannot be had here; the reason is on standard error.
set -euo pipefail

packages=''
[ "${1:-}" != --with ] || { packages=${2:-} && shift 2; }
[ $# -ge 2 ] || { sed -n '2,/^set/{s/^# \{0,1\}//p}' "$0" >&2 && exit 2; }
suite=$1 && shift
cannot() { printf 'in-debian: %s\n' "$1" >&2 && exit 77; }

[ "$(id -u)" -eq 0 ] || cannot "a root of its own takes root's rights"
for tool in debootstrap unshare; do
    command -v "$tool" >/dev/null || cannot "$tool is missing (Debian: apt-get install debootstrap util-linux)"
done
folder=${DENSENET_DEBIANS:-${XDG_CACHE_HOME:-$HOME/.cache}/densenet-wgpu-debians}/$suite
if [ ! -e "$folder/made" ]; then
    rm -rf "$folder"
    mkdir -p "$folder"
    mirror=$(sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/debian.sources 2>/dev/null | head -n 1)
    {
        debootstrap --variant=minbase --include=ca-certificates,libvulkan1,libgomp1,libstdc++6 "$suite" "$folder" ${mirror:+"$mirror"}
        cp -a /etc/apt/apt.conf.d/. "$folder/etc/apt/apt.conf.d/"
        chroot "$folder" sh -c 'apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends mesa-vulkan-drivers vulkan-validationlayers'
    } >"$folder.log" 2>&1 || cannot "Debian $suite could not be installed: $(tail -n 1 "$folder.log")"
    touch "$folder/made"
fi

# shellcheck disable=SC2086
if [ -n "$packages" ] && ! chroot "$folder" dpkg --status $packages >/dev/null 2>&1; then
    chroot "$folder" sh -c "apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $packages" \
        >>"$folder.log" 2>&1 || cannot "$packages could not be installed in Debian $suite: $(tail -n 1 "$folder.log")"
fi

# Mounts live in a namespace of their own and end with the command.
export DEBIAN_ROOT=$folder
# shellcheck disable=SC2016
exec unshare --mount --propagation private bash -c '
    set -euo pipefail
    for shared in /proc /dev /tmp /usr/local "$HOME" "$PWD"; do
        mkdir -p "$DEBIAN_ROOT$shared"
        mount --rbind "$shared" "$DEBIAN_ROOT$shared"
    done
    driver=$(cd "$DEBIAN_ROOT" && echo usr/share/vulkan/icd.d/lvp_icd*.json)
    printf -v quoted " %q" "$@"
    exec chroot "$DEBIAN_ROOT" env VK_DRIVER_FILES="/$driver" VK_ICD_FILENAMES="/$driver" sh -c "cd \"$PWD\" && exec$quoted"
' in-debian "$@"
