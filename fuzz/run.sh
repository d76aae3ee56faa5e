#!/usr/bin/env bash
# Fuzzes every container, texts that describe a network, DICOM and pictures, for some seconds each, starting from the test fixtures. Needs cargo-fuzz.
#
#     fuzz/run.sh [SECONDS] [TARGET...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

seconds=${1:-600}
shift || true
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(safetensors torch_zip torch_legacy hdf5 keras_archive described dicom picture)

fixtures=../tests/fixtures/checkpoints
unpacked=$(mktemp -d)
trap 'rm -rf "$unpacked"' EXIT
for archive in torch keras hostile wild; do
    unzip -qo "$fixtures/$archive.zip" -d "$unpacked"
done

# A fixture belongs to the container that its first bytes tell; an archive also lends what is in it.
for file in "$fixtures"/*.safetensors "$unpacked"/*; do
    name=$(basename "$file")
    case $(head -c 4 "$file" | od -An -tx1 | tr -d ' ') in
        504b0304) if [[ $name == *.keras ]]; then target=keras_archive; else target=torch_zip; fi ;;
        89484446) target=hdf5 ;;
        80028a0a) target=torch_legacy ;;
        *) target=safetensors ;;
    esac
    mkdir -p "corpus/$target"
    cp "$file" "corpus/$target/$name"
    if [ $target = torch_zip ]; then
        unzip -qp "$file" '*data.pkl' >"corpus/$target/$name.pkl" 2>/dev/null || true
    elif [ $target = keras_archive ]; then
        unzip -qp "$file" config.json >"corpus/$target/$name.json"
        unzip -qp "$file" model.weights.h5 >"corpus/$target/$name.h5"
    fi
done

mkdir -p corpus/described
cp described/* "$fixtures/timm-config/config.json" ../data/cifar10.txt corpus/described

mkdir -p corpus/dicom
for archive in files coded; do
    unzip -qo "../tests/fixtures/dicom/$archive.zip" -d corpus/dicom
done
find corpus/dicom -mindepth 2 -type f -exec mv -t corpus/dicom {} +

mkdir -p corpus/picture
for archive in kinds odd oriented; do
    unzip -qo "../tests/fixtures/pillow/$archive.zip" -d corpus/picture
done
cp ../tests/fixtures/pillow/*.png corpus/picture

for target in "${targets[@]}"; do
    # Memory is limited to some multiple of the largest file, time for one file to what a person would wait.
    cargo fuzz run --sanitizer none "$target" -- -max_total_time="$seconds" -max_len=200000 -rss_limit_mb=1024 -timeout=10 -print_final_stats=1
done
