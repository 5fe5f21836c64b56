#include "services/search/extract/child/sandbox.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "services/search/extract/sanitized.h"
#include "shared/bytes.h"

/* --- limits ----------------------------------------------------------------------- */

static bool limit(__rlimit_resource_t what, uint64_t most)
{
    struct rlimit both = {most, most};
    return setrlimit(what, &both) == 0;
}

/* A signal of its own tells that time is up; who does not heed it is killed. */
static bool limit_time(uint32_t seconds)
{
    struct rlimit both = {seconds, (rlim_t)seconds + 1};
    return setrlimit(RLIMIT_CPU, &both) == 0;
}

static bool set_limits(const struct sandbox_limits *limits)
{
    const uint64_t mb = 1 << 20;
    /* With a sanitizer only the parent watches what is really used. */
    bool bounded = limits->memory_mb > 0 && !EXTRACT_SANITIZED;

    return limit(RLIMIT_CORE, 0) && limit(RLIMIT_FSIZE, 0) && limit(RLIMIT_NPROC, 0) &&
           limit(RLIMIT_NOFILE, 3) && limit_time(limits->cpu_s) &&
           (!bounded || limit(RLIMIT_DATA, limits->memory_mb * mb)) &&
           (!bounded ||
            limit(RLIMIT_AS, (limits->memory_mb + (uint64_t)limits->map_mb) * mb));
}

/* --- system calls ----------------------------------------------------------------- */

static const int allowed[] = {
    SCMP_SYS(read),
    SCMP_SYS(readv),
    SCMP_SYS(pread64),
    SCMP_SYS(lseek),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(close),
    SCMP_SYS(fstat),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(brk),
    SCMP_SYS(madvise),
    SCMP_SYS(futex),
    SCMP_SYS(sched_yield),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(times),
    SCMP_SYS(getrusage),
    SCMP_SYS(getrandom),
    SCMP_SYS(sysinfo),
    SCMP_SYS(uname),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(getppid),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(sched_getaffinity),
};

/* Libraries ask for files that they can do without (tables of fonts, time zones), and for
 * what a descriptor is: they are told no, and go on. */
static const int denied[] = {
    SCMP_SYS(open),      SCMP_SYS(openat),     SCMP_SYS(access),
    SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(stat),
    SCMP_SYS(lstat),     SCMP_SYS(newfstatat), SCMP_SYS(statx),
    SCMP_SYS(readlink),  SCMP_SYS(readlinkat), SCMP_SYS(getcwd),
    SCMP_SYS(statfs),    SCMP_SYS(getdents64), SCMP_SYS(prlimit64),
    SCMP_SYS(getrlimit),
};

static bool add(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (calls[i] >= 0 && seccomp_rule_add(filter, action, calls[i], 0) != 0)
            return false;
    return true;
}

/* Memory that is not to be run; a signal to oneself, which is how abort() ends. */
static bool add_bounded(scmp_filter_ctx filter)
{
    const struct scmp_arg_cmp no_code = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
    const struct scmp_arg_cmp itself = {
        .arg = 0, .op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t)getpid(), .datum_b = 0};

    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, no_code) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, no_code) ==
               0 &&
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, itself) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOTTY), SCMP_SYS(ioctl), 0) == 0;
}

static bool filter_calls(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    bool ok = filter != NULL && add(filter, SCMP_ACT_ALLOW, allowed, SH_COUNT(allowed)) &&
              add(filter, SCMP_ACT_ERRNO(EACCES), denied, SH_COUNT(denied)) &&
              add_bounded(filter) && seccomp_load(filter) == 0;

    seccomp_release(filter);
    return ok;
}

/* --- the whole -------------------------------------------------------------------- */

enum sh_err sandbox_enter(const struct sandbox_limits *limits, int parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || (parent > 0 && getppid() != parent))
        return SH_INTERNAL;
    if (close_range(3, ~0U, 0) != 0 || clearenv() != 0)
        return SH_INTERNAL;
    if (prctl(PR_SET_DUMPABLE, 0) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return SH_INTERNAL;
    return set_limits(limits) && filter_calls() ? SH_OK : SH_INTERNAL;
}
