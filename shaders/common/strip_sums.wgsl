// The sums of a strip, in vectors. What is beyond its end is computed from zeros, and never stored: no compiler keeps it.
const QUADS: u32 = (TILE_PIXELS + 3u) / 4u;

alias StripSums = array<array<vec4<f32>, QUADS>, TILE_CHANNELS>;

// Stores the sums with their bias, of which each lane has a quad, for as many channels and pixels as there are.
fn store_strip(sums: ptr<function, StripSums>, lane_bias: vec4<f32>, first_channel: u32, strip: Strip, exists: bool) {
    // A loop whose index is not known would keep all sums in memory, from the first on.
    var results: array<array<f32, TILE_PIXELS>, TILE_CHANNELS>;
    for (var o = 0u; o < TILE_CHANNELS; o++) {  // unrolled
        for (var i = 0u; i < TILE_PIXELS; i++) {  // unrolled
            results[o][i] = (*sums)[o][i / 4u][i % 4u];
        }
    }
    let target_line = params.dst.offset + strip.image * params.dst.image + strip.y * params.dst.width;
    // A long strip has too much to write for this loop to be unrolled: its end is no constant.
    let channels = min(TILE_CHANNELS, params.out_channels - first_channel);
    for (var o = 0u; o < select(TILE_CHANNELS, channels, TILE_PIXELS > 4u); o++) {
        let bias = subgroupShuffle(lane_bias, o / 4u)[o % 4u];
        if o < channels && exists {
            let line = target_line + (first_channel + o) * params.dst.plane;
            for (var i = 0u; i < TILE_PIXELS; i++) {
                if strip.x + i < params.dst.width {
                    dst[line + strip.x + i] = stored(at_least(results[o][i] + bias, params.floor));
                }
            }
        }
    }
}
