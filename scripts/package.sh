#!/usr/bin/env bash
# Makes both packages as a registry would get them, unpacks them, and uses them from there: a program of its own that
# depends on the library classifies a picture, and its dependencies are none of the command line's; the command line is
# checked with that library. Nothing is published, and nothing fetched that `cargo fetch` has not fetched.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf 'package: %s\n' "$1" >&2; }
refuse() { say "$1" && exit 1; }

# Shared with the workspace, so that what is built for one is there for the other.
CARGO_TARGET_DIR=$(realpath -m "${CARGO_TARGET_DIR:-target}")
export CARGO_TARGET_DIR
packages=$CARGO_TARGET_DIR/package
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)

# Of every system: the dependencies of all are looked at.
cargo fetch --locked --quiet
cargo package --package densenet-wgpu --package densenet-cli --locked --offline --allow-dirty --no-verify --quiet
folder=$packages/unpacked
rm -rf "$folder"
mkdir -p "$folder/program"
for name in densenet-wgpu densenet-cli; do
    tar -xzf "$packages/$name-$version.crate" -C "$folder"
done

# A workspace of the two and the program; profiles and versions are this one's.
{
    printf '[workspace]\nresolver = "3"\nmembers = ["program", "densenet-cli-%s"]\n' "$version"
    printf '[patch.crates-io]\ndensenet-wgpu = { path = "densenet-wgpu-%s" }\n' "$version"
    sed -n '/^\[profile\./,/^$/p' Cargo.toml
} >"$folder/Cargo.toml"
cp Cargo.lock "$folder"
cat >"$folder/program/Cargo.toml" <<EOF
[package]
name = "program"
version = "0.0.0"
edition = "2024"

[dependencies]
densenet-wgpu = "$version"

[[bin]]
name = "program"
path = "../densenet-wgpu-$version/examples/classify.rs"
EOF

cd "$folder"
say "a program with the library of $(du -k "$packages/densenet-wgpu-$version.crate" | cut -f 1) KiB"
tree=$(cargo tree --offline --package program --edges normal,build --target all --prefix none | cut -d ' ' -f 1 | sort -u)
strangers=$(grep -xE 'clap|clap_.*|ureq|rustls.*|ring|indicatif|console|anstream|anstyle|terminal_size' <<<"$tree" || true)
[ -z "$strangers" ] || refuse "the library brings what only the command line needs: ${strangers//$'\n'/, }"
say "it has $(($(wc -l <<<"$tree") - 1)) crates beneath it, of all systems"
found=$(cargo run --quiet --offline --package program -- digits "densenet-wgpu-$version/examples/digits/7-1442-8.png" | sed -n 2p)
[ "${found##* }" = 7 ] || refuse "the picture of a 7 is: $found"
say "it sees a 7: $found"
say "the command line"
cargo check --quiet --offline --package densenet-cli --all-features
