#include "shared/sched.h"

#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The shortest and the longest slice that Linux grants; SCHED_FLAG_KEEP_POLICY of
 * <linux/sched.h>. */
enum { PROMPT_NS = 100 * 1000, LONG_NS = 100 * 1000 * 1000 };
enum { KEEP_POLICY = 0x08, NICEST = 19 };

/* `struct sched_attr` of sched_setattr(2): not in the C library before 2.41. */
struct attributes {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime; /* of SCHED_OTHER: the slice in ns, 0 for the usual one */
    uint64_t deadline;
    uint64_t period;
};

static void set_slice(uint64_t ns)
{
    struct attributes attributes = {
        .size = sizeof(attributes),
        .flags = KEEP_POLICY,
        .nice = getpriority(PRIO_PROCESS, 0),
        .runtime = ns,
    };

    (void)syscall(SYS_sched_setattr, 0, &attributes, 0U);
}

void sh_sched_prompt(void)
{
    set_slice(PROMPT_NS);
}

void sh_sched_usual(void)
{
    set_slice(0);
}

void sh_sched_patient(void)
{
    set_slice(LONG_NS);
}

void sh_sched_background(void)
{
    (void)setpriority(PRIO_PROCESS, 0, NICEST); /* on Linux the thread's alone */
    set_slice(LONG_NS);
}
