//! `--shard i/n`: one of n parts of the inputs, for independent jobs with the same arguments.

use std::path::{Component, Path};
use std::str::FromStr;

use clap::Args;

/// Which part of the inputs.
#[derive(Args)]
#[command(next_help_heading = "Input")]
pub(crate) struct ShardOptions {
    /// Process only one of n parts of the inputs, i from 0 to n - 1
    ///
    /// For independent jobs with the same arguments. Which part an input belongs to depends on its path alone: it does not change when
    /// other files are added or removed.
    #[arg(long, value_name = "i/n")]
    pub(crate) shard: Option<Shard>,
}

/// One of several parts of all inputs.
///
/// Which part an input belongs to depends on its path alone, so parts do not change when other files are added or removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shard {
    index: u64,
    count: u64,
}

impl Shard {
    /// Whether the file at `path` belongs to this part. `./a//b` is `a/b`.
    pub(crate) fn has(self, path: &Path) -> bool {
        let parts = path.components().filter(|part| *part != Component::CurDir).map(|part| part.as_os_str().as_encoded_bytes());
        let bytes = parts.flat_map(|part| [b"/", part]).flatten();
        // FNV-1a, whose lowest bits are only those of the characters: so they are mixed with the others, as in SplitMix64.
        let mut hash = bytes.fold(0xcbf2_9ce4_8422_2325u64, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (hash ^ (hash >> 31)) % self.count == self.index
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once('/').and_then(|(index, count)| Some((index.parse().ok()?, count.parse().ok()?)));
        match parts {
            Some((index, count)) if index < count => Ok(Self { index, count }),
            _ => Err("expected i/n, the part and the number of parts, with i from 0 to n - 1, as in 0/4".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_disjoint_complete_and_of_like_size() {
        for count in [1, 2, 3, 16, 100] {
            let shards: Vec<Shard> = (0..count).map(|index| format!("{index}/{count}").parse().unwrap()).collect();
            let mut sizes = vec![0; count];
            for picture in 0..10_000 {
                let path = format!("scans/{}/{picture:05}.png", picture % 7);
                let having: Vec<usize> = (0..count).filter(|&index| shards[index].has(Path::new(&path))).collect();
                assert_eq!(having.len(), 1, "{path} is in {having:?} of {count}");
                sizes[having[0]] += 1;
            }
            let mean = 10_000.0 / count as f64;
            assert!(sizes.iter().all(|&size| (f64::from(size) - mean).abs() <= 5.0 * mean.sqrt()), "{sizes:?}");
        }
    }

    #[test]
    fn parts_stay_what_they_are() {
        let shards: Vec<Shard> = (0..4).map(|index| format!("{index}/4").parse().unwrap()).collect();
        let part = |path: &str| shards.iter().position(|shard| shard.has(Path::new(path))).unwrap();
        // Another version must not give a job of an array other pictures.
        assert_eq!(["a.png", "b.png", "scans/0001.png", "scans/0002.png", "Größe.jpg"].map(part), [3, 0, 2, 0, 1]);
        assert_eq!(part("./scans//0001.png"), part("scans/0001.png"));
    }

    #[test]
    fn parts_are_counted_from_0() {
        for wrong in ["", "1", "4/4", "-1/4", "0/0", "a/b", "1/2/3", "0/4 "] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
        assert_eq!("3/4".parse(), Ok(Shard { index: 3, count: 4 }));
    }
}
