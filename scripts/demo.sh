#!/usr/bin/env bash
# Classifies the bundled pictures of handwritten digits with the bundled model. Options of `densenet classify` may follow.
# Built as the tests are, which is fast enough here, and with one of them: so cargo gives dependencies the features that the
# tests need too, and the two share what is built.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh
binary=${CARGO_TARGET_DIR:-target}/debug/densenet
build=(cargo build --package densenet-wgpu --package densenet-cli --features "dicom,hub" --bin densenet --test documentation)
if [ -e "$binary" ]; then
    build+=(--quiet)
else
    echo "demo: building densenet and what it needs, once: two or three minutes on two cores" >&2
fi
"${build[@]}"
exec "$binary" classify examples/digits --model digits "$@"
