// Multiply-adds and nothing else: dst[i] = sum of SUMS numbers, each of which began as one of src and was replaced
// params.turns * STEPS times by number * factor + summand. It measures a device's peak.
//
// An invocation owns one number of dst and SUMS sums that do not wait for each other.
// With factors and summands of 1 the result counts the multiply-adds, so that none can be skipped unseen.

const WORKGROUP: u32 = 64u;
const SUMS: u32 = 32u;
const STEPS: u32 = 2u;
alias Number = f32;

struct Params {
    turns: u32,
    factor: f32,
    summand: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> src: array<Number>;
@group(0) @binding(3) var<storage, read_write> dst: array<Number>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let factor = Number(params.factor);
    let summand = Number(params.summand);
    var sums: array<Number, SUMS>;
    for (var s = 0u; s < SUMS; s++) {
        sums[s] = src[s * WORKGROUP + lane];
    }
    for (var turn = 0u; turn < params.turns; turn++) {
        for (var step = 0u; step < STEPS; step++) {
            for (var s = 0u; s < SUMS; s++) {
                sums[s] = fma(sums[s], factor, summand);
            }
        }
    }
    var sum = sums[0];
    for (var s = 1u; s < SUMS; s++) {
        sum += sums[s];
    }
    dst[(group.z * groups.x + group.x) * WORKGROUP + lane] = sum;
}
