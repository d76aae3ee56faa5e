#!/usr/bin/env bash
# Runs every test. Arguments of `cargo test` may follow.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh tests
cargo test --features dicom,hub "$@"
