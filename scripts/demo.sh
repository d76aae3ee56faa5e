#!/usr/bin/env bash
# Classifies the bundled pictures of handwritten digits with the bundled model. Options of `densenet classify` may follow.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh
[ -e "${CARGO_TARGET_DIR:-target}/release/densenet" ] || echo "demo: building densenet; the first time takes some minutes" >&2
cargo run --release --quiet -- classify examples/digits --model digits "$@"
