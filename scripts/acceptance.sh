#!/usr/bin/env bash
# What is run before an issue is called resolved, beyond what every change must pass (.ci/run): every test as on a GPU, the
# validation layers, other drivers, large networks, more random ones, and other engines. Appends a record with the commit to
# benches/results/acceptance-DATE.md, to be committed. What could not be run is recorded as not run, with the reason.
# Exit status 1: a part failed. Takes an hour or two on two cores.
#
#    --only PATTERN   the parts whose names this regular expression matches, as one that failed on a machine that was busy
#   --python PATH    an interpreter that has the other engines (benches/README.md); without it they are not compared
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

python='' only=''
while [ $# -gt 0 ]; do
    case $1 in
        --python) python=${2:?a path} && shift 2 ;;
        --only) only=${2:?a pattern} && shift 2 ;;
        *) sed -n '2,/^set/{s/^# \{0,1\}//p}' "$0" && exit 2 ;;
    esac
done

[[ '' =~ $only ]] || [ $? -eq 1 ] || { echo "acceptance: --only $only is no regular expression" >&2 && exit 2; }

target=${CARGO_TARGET_DIR:-target}
binary=$target/debug/densenet
logs=$target/acceptance
rows=$logs/rows
mkdir -p "$logs"
: >"$rows"
failed=0

# Runs a part and writes its row. Exit status 77: it could not be run; the last line says why.
part() {
    local name=$1 log=$logs/${1//[^a-zA-Z0-9]/-}.log started=$SECONDS status=0 result
    shift
    [[ $name =~ $only ]] || return 0
    echo "== $name"
    "$@" >"$log" 2>&1 || status=$?
    case $status in
        0) result=passed ;;
        77) result="not run: $(tail -n 1 "$log")" ;;
        *) result="**failed**, status $status: $(tail -n 1 "$log")" failed=1 && tail -n 30 "$log" ;;
    esac
    # What a test said it cannot test here belongs to its result.
    local untested
    untested=$(sed -n 's/^.*\(not tested on .*\)$/\1/p' "$log" | sort -u | paste -sd ';' | sed 's/;/; /g')
    echo "| $name | $result${untested:+; $untested} | $((SECONDS - started)) s |" | tee -a "$rows"
}

tests=(cargo test --locked --features "dicom,hub")

# What Cargo.toml calls the oldest Rust, on all that is built.
oldest_rust() {
    local version
    version=$(sed -n 's/^rust-version = "\([0-9.]*\)".*/\1/p' Cargo.toml)
    rustup toolchain install "$version" --profile minimal || { echo "Rust $version could not be installed" && return 77; }
    CARGO_TARGET_DIR=$target/oldest-rust cargo "+$version" check --locked --workspace --features dicom,hub
}

# An environment with the Python package, optimised, as its users make it from a clone.
python_from_a_clone() {
    local environment=$target/python-release
    python3 -m venv --clear "$environment" || { echo "python3 has no venv" && return 77; }
    "$environment/bin/pip" install --quiet ./python || return 1
    "$environment/bin/python" -c "import densenet_wgpu as dn; print(dn.Classifier('digits').classify('examples/digits/7-1442-8.png')[0][0])" || return 1
}

# torch in the same process and in its workers, with the wheel of scripts/python.sh.
python_beside_torch() {
    local packages=$target/beside-torch
    [ -n "$python" ] && "$python" -c "import torch" || { echo "no interpreter with torch: --python" && return 77; }
    rm -rf "$packages"
    "$python" -m pip install --quiet --target "$packages" pytest pillow || { echo "pytest could not be installed" && return 77; }
    "$python" -m pip install --quiet --target "$packages" --no-deps "$target"/wheels/densenet_wgpu-*.whl || return 1
    PYTHONPATH=$packages DENSENET_BINARY=$binary "$python" -m pytest -c python/pyproject.toml --rootdir python python/tests/beside_torch.py
}

compare() {
    [ -n "$python" ] || { echo "no interpreter with the other engines: --python" && return 77; }
    scripts/compare.sh --quick --python "$python" --python-webgpu "$python" --binary "$binary"
}

# On another driver: the tests of networks and the engine (scripts/drivers.sh has the kernels'), and the demo, whose standard error is
# a newcomer's first sight.
driver() {
    scripts/in-debian.sh "$1" true || return
    scripts/in-debian.sh "$1" "${tests[@]}" --lib --test engine --test networks || return 1
    local stderr
    stderr=$(scripts/in-debian.sh "$1" env -u XDG_RUNTIME_DIR -u DISPLAY -u WAYLAND_DISPLAY "$binary" classify examples/digits --model digits 2>&1 >/dev/null) || return 1
    [ "$(grep -vc '^warning: no GPU in use' <<<"$stderr")" -eq 0 ] || { echo "unexpected on standard error: $stderr" && return 1; }
}

cargo build --quiet --locked --package densenet-wgpu --package densenet-cli --features "dicom,hub" --bin densenet --test documentation
# Other Debians run these, and have no linker.
"${tests[@]}" --quiet --no-run
part "tests" scripts/test.sh --locked
part "tests as on a discrete GPU" env DENSENET_TEST_AS=discrete scripts/test.sh --locked
part "random networks, 500" env PROPTEST_CASES=500 PROPTEST_RNG_SEED="$(date +%s)" "${tests[@]}" --test kernels random_networks
for arch in densenet169 densenet201 densenet161 densenet264; do
    for precision in f32 f16; do
        part "verify $arch in $precision" "$binary" verify --arch "$arch" --precision "$precision"
    done
done
part "validation layers" scripts/validate.sh
part "the sum of a profile's steps" "${tests[@]}" --test profile -- --ignored
part "Intel's compiler" scripts/intel.sh
part "Rust $(sed -n 's/^rust-version = "\([0-9.]*\)".*/\1/p' Cargo.toml), the oldest" oldest_rust
part "drivers" scripts/drivers.sh "$logs/drivers"
for suite in bookworm sid; do
    part "Mesa of Debian $suite" driver "$suite"
    part "validation layers of Debian $suite" scripts/in-debian.sh "$suite" scripts/validate.sh
done
part "Python package" scripts/python.sh
part "Python package from a clone" python_from_a_clone
part "Python beside torch" python_beside_torch
part "Ray, Spark and Dask" scripts/integrations.sh --binary "$binary"
part "other engines" compare

[ -s "$rows" ] || { echo "acceptance: no part is called $only" >&2 && exit 2; }

# A Debian that no part has made is not made for its version.
version() { [ -e "${DENSENET_DEBIANS:-${XDG_CACHE_HOME:-$HOME/.cache}/densenet-wgpu-debians}/$1/made" ] || { echo none && return; }; scripts/in-debian.sh "$1" dpkg-query --showformat '${Version}' --show "$2" 2>/dev/null || echo none; }
record=benches/results/acceptance-$(date +%F).md
[ -e "$record" ] || printf '# Acceptance, %s\n' "$(date +%F)" >"$record"
{
    printf '\n## %s\n\n' "$(git rev-parse --short=12 HEAD)$(git diff --quiet HEAD -- ':!benches/results' || echo ', and changes that are not committed')"
    "$binary" devices | sed 's/^/    /'
    printf '\n%s, %s threads, %s. Debian bookworm: Mesa %s; sid: Mesa %s, layers %s.\n\n' "$(uname -sm)" "$(nproc)" "$(rustc --version)" \
        "$(version bookworm mesa-vulkan-drivers)" "$(version sid mesa-vulkan-drivers)" "$(version sid vulkan-validationlayers)"
    ! grep -q '^| drivers |' "$rows" || { grep -h '^|' "$logs/drivers.log" && echo; }
    printf '| part | result | took |\n| --- | --- | ---: |\n'
    cat "$rows"
} >>"$record"
echo "== $record"
exit "$failed"
