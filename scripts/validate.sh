#!/usr/bin/env bash
# Runs the engine's tests and a DenseNet-121 under Khronos' validation layers, which must have nothing to say.
# Before that, faults on purpose (src/engine/faults.rs) show that they are loaded and report what we might do wrong: barriers,
# and, where the layers' GPU-assisted part works, what shaders write behind a buffer's end. Exit status 1: a message, or
# layers that report nothing at all. Needs a Vulkan device and the layers (Debian: vulkan-validationlayers).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf 'validate: %s\n' "$1"; }
refuse() { say "$1" && exit 1; }

folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
log=$folder/log
messages=$folder/messages

# What the layers are to check, on top of the core. They write to standard output.
enable() {
    local IFS=,
    printf 'khronos_validation.%s\n' "enables = $*" 'report_flags = error,warn,info' 'debug_action = VK_DBG_LAYER_ACTION_LOG_MSG' >"$folder/vk_layer_settings.txt"
}
synchronisation=VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT
gpu_assisted=VK_VALIDATION_FEATURE_ENABLE_GPU_ASSISTED_EXT

# What newer layers say of their own settings; and of all that naga 30 writes, that arrays of functions and workgroups have a
# stride, which SPIR-V allows no longer and drivers pass over: wgpu's issue 7696, which wgpu keeps quiet about too.
not_ours='VALIDATION-SETTINGS|WARNING-Setting-Limit-Adjusted|VUID-StandaloneSpirv-None-10684'

# Runs a command under the layers; leaves what it said in $log, and what the layers reported in $messages.
layered() {
    local status=0
    VK_LAYER_SETTINGS_PATH=$folder/vk_layer_settings.txt VK_INSTANCE_LAYERS=VK_LAYER_KHRONOS_validation "$@" >"$log" 2>&1 || status=$?
    grep -E 'Validation (Error|Warning|Performance Warning): \[' "$log" | grep -vE "\\[ ($not_ours) \\]" >"$messages" || true
    grep -qE 'Khronos Validation Layer Active|CURRENT-VALIDATION-ENABLED' "$log" || refuse "the layers were not loaded: $(tail -n 3 "$log")"
    return "$status"
}

# Whether a fault on purpose is reported, by a message with this in it.
reports() {
    layered cargo test --quiet "${options[@]}" --lib -- --ignored "$1" || refuse "$1 ended otherwise: $(tail -n 20 "$log")"
    grep -qE "$2" "$messages"
}

# Under the layers without a message; the command itself may have failed for its own reasons, which is an error too.
silent() {
    local name=$1 started=$SECONDS
    shift
    layered "$@" || { tail -n 40 "$log" && refuse "$name failed under the layers"; }
    [ ! -s "$messages" ] || { cut -c 1-1000 "$messages" | sort | uniq -c | sort -rn | head -n 20 && refuse "$name: the layers object"; }
    say "$name: nothing reported, $((SECONDS - started)) s"
}

# Arrays lie in structs here, or the GPU-assisted part would not see them: src/gpu/pretence.rs.
export DENSENET_TEST_AS=validated DENSENET_CACHE_DIR=
options=(--locked --features "dicom,hub")
cargo test --quiet "${options[@]}" --no-run --lib --test engine --test networks --test documentation
binary=${CARGO_TARGET_DIR:-target}/debug/densenet

enable "$synchronisation" "$gpu_assisted"
reports two_writes_without_a_barrier SYNC-HAZARD-WRITE-AFTER-WRITE || refuse "a missing barrier is not reported"
say "a missing barrier is reported"
if reports a_write_behind_a_buffers_end 'out of bounds'; then
    say "a write behind a buffer's end is reported"
else
    say "a write behind a buffer's end is not reported by these layers: without their GPU-assisted part"
    enable "$synchronisation"
fi

densenet121=densenet121_gives_the_same_bits_whenever_and_with_whomever_it_runs
silent "the engine's tests" cargo test --quiet "${options[@]}" --test engine -- --skip threads_run_while
for kernels in validated validated,discrete; do
    export DENSENET_TEST_AS=$kernels
    silent "DenseNet-121, $kernels" cargo test --quiet "${options[@]}" --test networks "$densenet121"
done
# Measuring every tile of instrumented shaders would take many minutes; what matters here are barriers.
enable "$synchronisation"
silent "an engine that is tuned while it runs" cargo test --quiet "${options[@]}" --test engine threads_run_while
"$binary" init --arch densenet121 --classes 10 "$folder/densenet121.safetensors" 2>/dev/null
for precision in f32 f16; do
    silent "densenet classify in $precision" "$binary" classify examples/digits/7-1442-8.png examples/digits/3-1474-64.png \
        --model "$folder/densenet121.safetensors" --precision "$precision"
done
silent "densenet bench" "$binary" bench --arch densenet121 --size 97x131 --batch 3 --runs 2
