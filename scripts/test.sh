#!/usr/bin/env bash
# Runs every test. Arguments of `cargo test` may follow.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh tests
# Without a desktop a layer of Mesa 22.3 only complains that there is none (cli/src/headless.rs); tests set no variables.
[ -n "${XDG_RUNTIME_DIR:-}${WAYLAND_DISPLAY:-}${DISPLAY:-}${MESA_VK_DEVICE_SELECT:-}${DRI_PRIME:-}" ] || export NODEVICE_SELECT=1
cargo test --features dicom,hub "$@"
