#!/usr/bin/env bash
# Classifies the bundled pictures of handwritten digits with the bundled model. Options of `densenet classify` may follow.
# Built as the tests are, which is fast enough here: the two share what is built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh
[ -e "${CARGO_TARGET_DIR:-target}/debug/densenet" ] || echo "demo: building densenet; the first time takes some minutes" >&2
cargo run --quiet --package densenet-cli --features dicom -- classify examples/digits --model digits "$@"
