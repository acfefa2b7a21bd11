# shellcheck shell=bash disable=SC2154
# Sourced after lib.sh by scripts that need files of Debian's packages without
# installing them: an apt with sources of its own, which the machine's never sees.

# own_apt FOLDER "SUITE ARCHITECTURES"...: makes such an apt in FOLDER and reads
# the lists of its suites. Fails where they can't be had.
own_apt() {
    local folder suite architectures mirror keys=/usr/share/keyrings/debian-archive-keyring.gpg
    command -v apt-get dpkg-deb >/dev/null && [ -e $keys ] || return 1
    folder=$(realpath -m "$1")
    mkdir -p "$folder"/{lists/partial,cache/archives/partial}
    : >"$folder/status"
    for suite in "${@:2}"; do
        read -r suite architectures <<<"$suite"
        mirror=$(mirror "$suite")
        echo "deb [signed-by=$keys arch=$architectures] $mirror $suite main"
    done >"$folder/sources"
    cat >"$folder/conf" <<END
Dir::Etc::sourcelist "$folder/sources";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State::lists "$folder/lists";
Dir::State::status "$folder/status";
Dir::Cache "$folder/cache";
APT::Architecture "amd64";
APT::Architectures { "amd64"; "arm64"; };
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
END
    own_apt=$folder
    APT_CONFIG=$folder/conf apt-get update -qq
}

# mirror SUITE: where the machine's own apt gets Debian from.
mirror() {
    local label=Debian path=debian found
    [[ $1 != *-security ]] || label=Debian-Security path=debian-security
    found=$(apt-get indextargets --format "\$(LABEL) \$(REPO_URI)" 'Created-By: Packages' |
        sed -n "s/^$label //p" | head -n 1)
    printf '%s\n' "${found:-http://deb.debian.org/$path/}"
}

# fetch PACKAGE[:ARCHITECTURE][=VERSION] [COMMAND...]: downloads a package and
# gives its file to the command, or unpacks it into $unpacked.
fetch() {
    local at
    at=$(mktemp -d "$own_apt/fetch.XXXXXX")
    echo "  $1" >&2
    (cd "$at" && APT_CONFIG=$own_apt/conf apt-get download -qq "$1") || return 1
    if [ $# -gt 1 ]; then
        "${@:2}" "$at"/*.deb
    else
        dpkg-deb -x "$at"/*.deb "$unpacked"
    fi
    rm -r "$at"
}
