#!/usr/bin/env bash
# Runs the program for Windows on DX12 under Wine: digits and a DenseNet-121 beside the reference, and a report at 32x32. Shaders go
# through Microsoft's FXC; the rest of Direct3D 12 is Wine's own, on Vulkan, which has no DXIL. So it is neither Microsoft's runtime
# nor a driver of it, but all of wgpu's DX12 and every shader in HLSL. Exit status 1: something failed.
#
# Run by hand before a release. Needs mingw, what Rust has for x86_64-pc-windows-gnu, npm and root (Debian: gcc-mingw-w64-x86-64 npm
# debootstrap). Wine is Debian trixie's: older ones do not run the program. Exit status 77: it cannot be had here; the reason is on
# standard error.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cannot() { printf 'dx12: %s\n' "$1" >&2 && exit 77; }
windows=x86_64-pc-windows-gnu
command -v x86_64-w64-mingw32-gcc >/dev/null || cannot "mingw is missing (Debian: apt-get install gcc-mingw-w64-x86-64)"
rustup target add "$windows" >/dev/null 2>&1 || cannot "Rust has no standard library for $windows here"
dlls=$(scripts/webgpu.sh)/dist/win32-x64

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
folder=$target/dx12
CARGO_PROFILE_DEV_DEBUG=false cargo build --quiet --locked --target "$windows" --features dicom,hub --bin densenet
mkdir -p "$folder"
cp "$target/$windows/debug/densenet.exe" "$dlls/d3dcompiler_47.dll" "$folder"

wine() {
    scripts/in-debian.sh --with "wine wine64 xvfb xauth libegl1" trixie env WINEPREFIX="$folder/prefix" WINEDEBUG=-all \
        WINEDLLOVERRIDES="d3dcompiler_47=n;mscoree=;mshtml=" WGPU_BACKEND=dx12 xvfb-run -a wine "$folder/densenet.exe" "$@"
}
wine devices || { status=$?; [ "$status" -eq 77 ] && exit 77; exit 1; }
failed=0
for network in "--model digits" "--arch densenet121"; do
    # shellcheck disable=SC2086
    wine verify $network >"$folder/log" 2>&1 || failed=1
    grep -E '^(device|driver|model)' "$folder/log" || true
    # Xvfb's farewell comes last.
    grep -v '^X connection' "$folder/log" | tail -n 1 || true
done
rm -f "$folder/report.json"
wine report --size 32x32 --output "$folder/report.json" >"$folder/log" 2>&1 || failed=1
python3 scripts/report_row.py "$folder/report.json"
exit "$failed"
