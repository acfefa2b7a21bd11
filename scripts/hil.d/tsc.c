// Prints how many thousand times a second this computer's time stamp counter
// counts. An emulated processor has the same counter, and would measure it wrongly
// whenever it had to wait for this computer.
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

struct moment {
    uint64_t count, ns;
};

static uint64_t clock_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_RAW, &now);
    return now.tv_sec * 1000000000ull + now.tv_nsec;
}

// The counter and the clock at the same moment: the closest pair of many.
static struct moment both(void) {
    struct moment best = {0, 0};
    uint64_t closest = UINT64_MAX;
    for (int i = 0; i < 100; i++) {
        uint64_t before = clock_ns(), count = __rdtsc(), after = clock_ns();
        if (after - before < closest) {
            closest = after - before;
            best = (struct moment){count, before + closest / 2};
        }
    }
    return best;
}

int main(void) {
    struct moment begin = both();
    nanosleep(&(struct timespec){0, 100000000}, NULL);
    struct moment end = both();
    printf("%.0f\n", (end.count - begin.count) * 1e6 / (end.ns - begin.ns));
}
