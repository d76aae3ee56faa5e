// Copies quads: dst[i] = src[i]. It measures a device's memory bandwidth.
//
// An invocation owns TILE_QUADS quads, a workgroup WORKGROUP * TILE_QUADS that lie side by side.

const WORKGROUP: u32 = 64u;
const TILE_QUADS: u32 = 4u;

struct Params {
    quads: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> src: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> dst: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let first_quad = (group.z * groups.x + group.x) * WORKGROUP * TILE_QUADS + lane;
    for (var q = 0u; q < TILE_QUADS; q++) {
        let quad = first_quad + q * WORKGROUP;
        if quad < params.quads {
            dst[quad] = src[quad];
        }
    }
}
