#!/usr/bin/env bash
# Installs what building and running need beside Rust: a C linker, the Vulkan loader and a Vulkan driver; with the argument
# `tests` also what the tests need, tmux.
# Says nothing and does nothing where all is there. Exit status 2: something is missing and could not be installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf 'setup: %s\n' "$1" >&2; }

check_rust() {
    if ! command -v cargo >/dev/null; then
        say "cargo is missing. Get Rust from https://rustup.rs; after that open a new shell, or run: . ~/.cargo/env"
        exit 2
    fi
    local required found
    required=$(sed -n 's/^rust-version = "\([0-9.]*\)".*/\1/p' Cargo.toml)
    found=$(cargo --version | cut -d ' ' -f 2)
    if [ "$(printf '%s\n' "$required" "$found" | sort -V | head -n 1)" != "$required" ]; then
        say "Rust $required or newer is needed, found $found. Get it from https://rustup.rs, or run: rustup update"
        exit 2
    fi
}

# Whether a C program can be linked: a compiler without the C library's files cannot.
has_linker() {
    local folder status=0
    command -v cc >/dev/null || return 1
    folder=$(mktemp -d)
    echo 'int main(void) { return 0; }' | cc -x c - -o "$folder/program" 2>/dev/null || status=$?
    rm -r "$folder"
    return "$status"
}

has_vulkan_loader() {
    local folder folders
    PATH="$PATH:/usr/sbin:/sbin" ldconfig -p 2>/dev/null | grep -F 'libvulkan.so.1' >/dev/null && return 0
    IFS=: read -ra folders <<<"${LD_LIBRARY_PATH:-}"
    for folder in "${folders[@]}" /usr/lib /usr/lib64 /usr/local/lib; do
        [ -e "$folder/libvulkan.so.1" ] && return 0
    done
    return 1
}

# Whether any driver is registered with the loader.
has_vulkan_driver() {
    [ -n "${VK_DRIVER_FILES:-}${VK_ICD_FILENAMES:-}${VK_ADD_DRIVER_FILES:-}" ] && return 0
    local folder
    for folder in /usr/share /usr/local/share /etc /usr/local/etc "${XDG_DATA_HOME:-${HOME:-}/.local/share}"; do
        compgen -G "$folder/vulkan/icd.d/*.json" >/dev/null && return 0
    done
    return 1
}

# The one line that installs everything that is missing, for whatever distribution this is.
remedy() {
    local line
    if command -v apt-get >/dev/null; then
        line="apt-get update && apt-get install -y ${packages[*]}"
    elif command -v dnf >/dev/null; then
        line="dnf install -y gcc vulkan-loader mesa-vulkan-drivers${tests:+ tmux}"
    elif command -v pacman >/dev/null; then
        line="pacman -S --needed gcc vulkan-icd-loader vulkan-swrast${tests:+ tmux}"
    else
        echo "(install with this system's package manager: $names)"
        return
    fi
    if [ "$(id -u)" -eq 0 ]; then
        echo "$line"
    elif command -v sudo >/dev/null; then
        echo "sudo sh -c '$line'"
    else
        echo "su -c '$line'"
    fi
}

refuse() {
    say "missing: $1. Run this, then try again:"
    remedy >&2
    exit 2
}

check_rust
[ "$(uname -s)" = Linux ] || exit 0 # macOS and Windows come with their graphics drivers

missing=() packages=()
has_linker || { missing+=("a C linker") && packages+=(gcc libc6-dev); }
has_vulkan_loader || { missing+=("the Vulkan loader") && packages+=(libvulkan1); }
has_vulkan_driver || { missing+=("a Vulkan driver") && packages+=(mesa-vulkan-drivers); }
tests=${1:-}
if [ "$tests" = tests ] && ! command -v tmux >/dev/null; then
    missing+=(tmux) && packages+=(tmux)
fi
[ ${#missing[@]} -gt 0 ] || exit 0
names=$(printf ', %s' "${missing[@]}")
names=${names:2}

as_root=()
command -v apt-get >/dev/null || refuse "$names"
if [ "$(id -u)" -ne 0 ]; then
    as_root=(sudo)
    command -v sudo >/dev/null || refuse "$names"
    # Without a terminal, sudo cannot ask for a password.
    [ -t 0 ] || sudo -n true 2>/dev/null || refuse "$names"
fi
say "installing ${packages[*]} (missing: $names)"
# The lists may come from several sources: one that fails is no reason to give up.
install='apt-get -qq update; apt-get -qq -o Dpkg::Use-Pty=0 install -y --no-install-recommends "$@"'
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive sh -c "$install" install "${packages[@]}" >&2 || refuse "$names; installing failed"
