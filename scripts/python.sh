#!/usr/bin/env bash
# Makes a wheel of the Python package, installs it into an environment of its own, and tests it there, as its users have it:
# the tests, every example of the documentation, the notebook, and its types. Needs Python 3.10 or newer with venv.
# The wheel is built like the tests and with what they have built: optimised it would take minutes more, and compute the same.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
environment=$target/python
wheels=$target/wheels

[ -n "${XDG_RUNTIME_DIR:-}${WAYLAND_DISPLAY:-}${DISPLAY:-}${MESA_VK_DEVICE_SELECT:-}${DRI_PRIME:-}" ] || export NODEVICE_SELECT=1
scripts/setup.sh
# What the wheel's results are compared with.
cargo build --quiet --locked --package densenet-wgpu --package densenet-cli --features dicom,hub --bin densenet
python3 -m venv --clear "$environment"
"$environment/bin/pip" install --quiet --disable-pip-version-check --requirement python/tests/requirements.txt
rm -rf "$wheels"
"$environment/bin/maturin" build --quiet --locked --manifest-path python/Cargo.toml --out "$wheels"
"$environment/bin/pip" install --quiet --disable-pip-version-check --no-deps "$wheels"/densenet_wgpu-*.whl

export DENSENET_BINARY=$target/debug/densenet
# Away from the sources of the package: what is installed is what is tested.
cd "$target"
"$environment/bin/python" -m pytest --quiet -p no:cacheprovider --rootdir "$OLDPWD/python" --config-file "$OLDPWD/python/pyproject.toml" "$OLDPWD/python/tests" "$@"
"$environment/bin/python" -m mypy.stubtest densenet_wgpu
"$environment/bin/python" -m mypy --strict --package densenet_wgpu --cache-dir "$target/mypy"
