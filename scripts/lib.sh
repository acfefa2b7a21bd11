# shellcheck shell=bash
# Sourced by the scripts beside it: where the project is, what it needs from
# the system, and how a script speaks.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}

if [ -t 1 ]; then
    bold=$'\e[1m' plain=$'\e[0m'
else
    bold='' plain=''
fi

# heading TEXT: what is being done now.
heading() { printf '%s\n' "$bold$*$plain"; }

# refuse TEXT: says what is wrong and what to do, and ends with status 2.
refuse() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 2
}

# missing PACKAGE...: those of the Debian packages whose purpose isn't met here.
missing() {
    local package
    for package in "$@"; do
        case $package in
            build-essential) command -v cc >/dev/null ;;
            pkg-config) command -v pkg-config >/dev/null ;;
            libhdf5-dev) pkg-config --exists hdf5 2>/dev/null || compgen -G '/usr/include/hdf5/*/hdf5.h' >/dev/null ;;
            python3-venv) python3 -c 'import ensurepip, venv' 2>/dev/null ;;
            # What only Debian has under these names is there when dpkg says so.
            kmod | xz-utils | libelf1 | busybox-static | qemu-system-* | gcc-aarch64-linux-gnu | libc6-dev-arm64-cross)
                dpkg -s "$package" >/dev/null 2>&1
                ;;
            *) command -v "$package" >/dev/null ;;
        esac || printf '%s ' "$package"
    done
}

# need PACKAGE...: installs what is missing, with apt when root; else says so.
need() {
    local absent
    command -v cargo >/dev/null || PATH=$PATH:$HOME/.cargo/bin
    command -v cargo >/dev/null || refuse "Rust is missing: install it from https://rustup.rs, then run this again"
    absent=$(missing "$@")
    [ -n "$absent" ] || return 0
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        refuse "missing: $absent; install them (sudo apt-get install $absent), then run this again"
    fi
    heading "Installing $absent"
    # The list is made of package names only, and has to become several words.
    # shellcheck disable=SC2086
    apt-get install -y -qq --no-install-recommends $absent >/dev/null 2>&1 ||
        { apt-get update -qq && apt-get install -y -qq --no-install-recommends $absent >/dev/null; } ||
        refuse "apt could not install $absent"
}

# programs: builds the agents and prints the folder they are in. BRAMBLE_PROFILE
# is cargo's profile, release where it is not set.
programs() {
    local profile=${BRAMBLE_PROFILE:-release}
    "$root/scripts/web" >&2 || echo "The terminal is built without its page." >&2
    heading "Building Bramble" >&2
    (cd "$root" && cargo build --quiet --locked --profile "$profile" --bins) >&2 || refuse "the build failed"
    [ "$profile" = dev ] && profile=debug
    printf '%s\n' "$target/$profile"
}
