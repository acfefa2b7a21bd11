# shellcheck shell=bash disable=SC2154
# Sourced by scripts/hil: makes the kit of its two machines in $kit. Debian has
# all of it but gpio-sim, which is built from Debian's kernel sources.

# build_kit: makes the kit aside and moves it into place whole; one that is there
# stays. Ends with status 2 where the packages can't be had.
build_kit() {
    local lock made kernel version unpacked part=$kit.part
    [ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ] ||
        refuse "the kit is made of Debian's packages for amd64, which this machine isn't"
    # What the machines of a kit that is there need too.
    need cpio qemu-system-x86 qemu-system-arm
    mkdir -p "$(dirname "$kit")"
    ! [ -e "$kit/versions" ] || return 0
    # A second that is called meanwhile waits, and finds the kit.
    exec {lock}>"$kit.lock"
    flock "$lock"
    ! [ -e "$kit/versions" ] || return 0
    need build-essential kmod xz-utils zstd libelf1 busybox-static
    heading "Making the kit in $kit"
    rm -rf "$kit" "$part"
    mkdir -p "$part"/kit/{vm,pi}
    own_apt "$part/apt" "bookworm amd64,arm64" "bookworm-backports amd64,arm64" ||
        refuse "can't read Debian's package lists: the kit is not made"
    kernel=$(APT_CONFIG=$part/apt/conf apt-cache pkgnames linux-headers-6.12 |
        sed -n 's/^linux-headers-\(6\.12\.[^-]*\)-amd64$/\1/p' | sort -V | tail -n 1)
    [ -n "$kernel" ] || refuse "bookworm-backports has no kernel 6.12: the kit is not made"
    # The unsigned images come of the same build as the headers and the sources.
    version=$(APT_CONFIG=$part/apt/conf apt-cache show "linux-headers-$kernel-amd64" |
        sed -n 's/^Version: //p' | head -n 1)
    # With \`||\` behind it, neither would stop at its first error.
    set +e
    (set -e; make_vm "$part/kit/vm"; make_pi "$part/kit/pi")
    made=$?
    set -e
    [ $made = 0 ] || refuse "a part of it can't be had or built: the kit is not made"
    echo "Linux $version, $(qemu-system-x86_64 --version | head -n 1)" >"$part/kit/versions"
    mv "$part/kit" "$kit"
    rm -rf "$part"
    exec {lock}>&-
}

make_vm() {
    local headers
    unpacked=$part/vm headers=$part/vm/usr/src/linux-headers-$kernel
    fetch "linux-image-$kernel-amd64-unsigned=$version"
    fetch "linux-headers-$kernel-common=$version"
    fetch "linux-headers-$kernel-amd64=$version"
    fetch "linux-kbuild-$kernel=$version"
    fetch "linux-source-6.12=$version" few_sources "$part/gpio-sim"
    # Unpacked here once, instead of at every start by an emulated processor.
    bash "$part/gpio-sim/extract-vmlinux" "$unpacked/boot/vmlinuz-$kernel-amd64" >"$1/kernel"
    make_gpio_sim "$part/gpio-sim" "$headers-amd64"
    install -D "$part/gpio-sim/gpio-sim.ko" "$unpacked/lib/modules/$kernel-amd64/extra/gpio-sim.ko"
    modules "$kernel-amd64" "$1/modules" gpio-sim virtio_net
    install -D "$(command -v busybox)" "$1/root/bin/busybox"
    cc -O1 -o "$1/tsc" "$root/scripts/hil.d/tsc.c"
    rm -r "$unpacked"
}

# few_sources FOLDER PACKAGE: the files of the kernel's sources that are wanted.
few_sources() {
    mkdir "$1"
    dpkg-deb --fsys-tarfile "$2" | tar -xO --wildcards '*/linux-source-*.tar.xz' |
        tar -xJ -C "$1" --wildcards --transform 's|.*/||' \
            '*/drivers/gpio/gpio-sim.c' '*/kernel/irq/irq_sim.c' '*/scripts/extract-vmlinux'
}

# make_gpio_sim SOURCES HEADERS: builds the module. Debian's kernel has no
# irq_sim, which becomes a part of it, and lets no module call irq_to_desc();
# generic_handle_irq() does what irq_sim wants it for.
make_gpio_sim() {
    mv "$1/gpio-sim.c" "$1/chip.c"
    sed -i 's/handle_simple_irq(irq_to_desc(\(.*\)))/generic_handle_irq(\1)/' "$1/irq_sim.c"
    printf 'obj-m := gpio-sim.o\ngpio-sim-y := chip.o irq_sim.o\n' >"$1/Makefile"
    # Headers find each other under /usr/src, where these are not.
    sed -i "s|/usr/src/|$(dirname "$2")/|" "$2/Makefile"
    # Type information would need the kernel's own, which is in no package here.
    make -s -C "$2" M="$1" CONFIG_DEBUG_INFO_BTF_MODULES= modules >"$1/log" 2>&1 ||
        { cat "$1/log" >&2; return 1; }
    strip --strip-debug "$1/gpio-sim.ko"
}

# Debian's kernel for arm64 on the Pi that QEMU emulates, with what a program
# that is linked to glibc needs.
make_pi() {
    local library
    unpacked=$part/pi
    fetch "linux-image-$kernel-arm64-unsigned:arm64=$version"
    cp "$unpacked/boot/vmlinuz-$kernel-arm64" "$1/kernel"
    cp "$unpacked/usr/lib/linux-image-$kernel-arm64/broadcom/bcm2837-rpi-3-b.dtb" "$1/board.dtb"
    # The board goes off by its watchdog.
    modules "$kernel-arm64" "$1/modules" bcm2835_wdt
    fetch busybox-static:arm64
    install -D "$unpacked/bin/busybox" "$1/root/bin/busybox"
    fetch libc6:arm64
    fetch libgcc-s1:arm64
    mkdir "$1/root/lib"
    for library in ld-linux-aarch64.so.1 lib{c,m}.so.6 lib{dl,rt,gcc_s}.so.[12] libpthread.so.0; do
        find "$unpacked/lib" -name "$library" -exec cp -L {} "$1/root/lib/" \; -quit
    done
    rm -r "$unpacked"
}

# modules KERNEL FOLDER NAME...: copies the modules and what they depend on out
# of $unpacked, and lists them in `order`, each after what it needs.
modules() {
    local name path
    mkdir -p "$2"
    depmod -b "$unpacked" "$1" 2>/dev/null
    for name in "${@:3}"; do
        modprobe -C /dev/null -d "$unpacked" -S "$1" --show-depends "$name"
    done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++' | while read -r path; do
        name=$(basename "$path" .xz)
        if [[ $path == *.xz ]]; then xz -dc "$path"; else cat "$path"; fi >"$2/$name"
        echo "$name"
    done >"$2/order"
    [ -s "$2/order" ]
}
