#!/usr/bin/env bash
# Compiles every shader with Intel's own compiler, brw of Mesa's ANV, for GPUs that are not there, and writes
# benches/results/intel.md. Exit status 1: a kernel spills that the rule gives these devices.
#
# ANV asks a kernel driver what device there is. One that is not there is played by a library of Mesa's own tests, which no
# package has: it is built from the source of the Mesa that is installed, in a minute or two, and kept in target/.
# Needs a C and a C++ compiler, Python 3 with venv, ninja, bison, flex, libdrm's and zlib's headers, the Vulkan loader with its
# headers, ANV and Debian's sources (gcc g++ python3-venv ninja-build bison flex pkg-config libdrm-dev zlib1g-dev libvulkan-dev
# mesa-vulkan-drivers). Exit status 77: it cannot be had here; the reason is on standard error.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cannot() { printf 'intel: %s\n' "$1" >&2 && exit 77; }
for tool in cc c++ python3 ninja bison flex pkg-config dpkg-query apt-get; do
    command -v "$tool" >/dev/null || cannot "$tool is missing; this file says what is needed"
done
drivers=(/usr/share/vulkan/icd.d/intel_icd*.json)
[ -e "${drivers[0]}" ] || cannot "Mesa's ANV is missing (Debian: apt-get install mesa-vulkan-drivers)"
version=$(dpkg-query --showformat '${Version}' --show mesa-vulkan-drivers)

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
mkdir -p "$target"
shim=$target/intel-shim-${version//[^a-zA-Z0-9.]/-}
library=$shim/build/src/intel/tools/libintel_noop_drm_shim.so

# Sources are fetched with lists of our own: this machine's may have none of them.
build_shim() {
    rm -rf "$shim"
    mkdir -p "$shim"/{lists,source}
    sed -s -e 's/^Types: .*/Types: deb-src/' -e '$G' /etc/apt/sources.list.d/*.sources >"$shim/debian.sources"
    local apt=(apt-get -qq -o Dir::Etc::sourcelist="$shim/debian.sources" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$shim/lists")
    "${apt[@]}" update
    # Without signatures of developers, which a machine may lack the keys of; the archive's own hold.
    (cd "$shim" && "${apt[@]}" --download-only --tar-only source "mesa=$version")
    tar -xf "$shim"/mesa_*.orig.tar.* -C "$shim/source" --strip-components 1
    python3 -m venv "$shim/python"
    "$shim/python/bin/pip" -q install meson==1.9.1 mako==1.3.10 pyyaml==6.0.3 packaging==25.0
    PATH=$shim/python/bin:$PATH meson setup "$shim/build" "$shim/source" --buildtype release \
        -Dtools=drm-shim,intel -Dvulkan-drivers= -Dgallium-drivers= -Dplatforms= -Dllvm=disabled -Dvalgrind=disabled \
        -Dopengl=false -Dgles1=disabled -Dgles2=disabled -Dglx=disabled -Degl=disabled -Dgbm=disabled
    PATH=$shim/python/bin:$PATH ninja -C "$shim/build" "${library#"$shim"/build/}"
}
if [ ! -e "$library" ]; then
    # Errors inside of a function count where it is in no condition: so in the background.
    build_shim >"$target/intel-shim.log" 2>&1 &
    wait $! || cannot "the library that plays the devices was not built: $(tail -n 1 "$target/intel-shim.log")"
fi

folder=$target/intel
rm -rf "$folder"
mkdir -p "$folder"
echo '#include <vulkan/vulkan.h>' | cc -E -x c - >/dev/null 2>&1 || cannot "the Vulkan loader's headers are missing (Debian: apt-get install libvulkan-dev)"
cc -O2 -o "$folder/compile" benches/isa/compile.c -lvulkan
python3 -B -m unittest --quiet benches/isa/test_intel.py
scripts/translate.sh "$folder/translations"
# Gen9, Xe, Xe with a small part, Arc, Meteor Lake, Lunar Lake, Battlemage.
for platform in skl tgl adl dg2 mtl lnl bmg; do
    mkdir "$folder/$platform"
    MESA_SHADER_CACHE_DISABLE=true NODEVICE_SELECT=1 VK_DRIVER_FILES=${drivers[0]} INTEL_STUB_GPU_PLATFORM=$platform LD_PRELOAD=$library \
        timeout 600 "$folder/compile" "$folder/translations/list.tsv" "$folder/$platform" >"$folder/$platform.tsv" 2>"$folder/log" ||
        { echo "intel: $platform: status $?: $(grep -v '^Unknown' "$folder/log" | tail -n 1)" && exit 1; }
done
python3 -B benches/isa/intel.py "$folder" "$folder/translations" benches/results/intel.md
