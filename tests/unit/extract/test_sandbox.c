/* In the sandbox: what a child tries that may do nothing but compute, and how it ends. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "services/search/extract/child/sandbox.h"
#include "services/search/extract/sanitized.h"

enum { DONE = 42, MISSED = 43, NO_SANDBOX = 44 };

/* What it answers is its status; most do not come to answer. */
typedef int attempt_fn(void);

/* The status of wait() of a child that tried it. */
static int try_inside(attempt_fn *attempt, uint32_t memory_mb)
{
    const struct sandbox_limits limits = {
        .memory_mb = memory_mb, .map_mb = 512, .cpu_s = 5};
    int status = 0;
    pid_t parent = getpid();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(sandbox_enter(&limits, parent) == SH_OK ? attempt() : NO_SANDBOX);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void is_killed_for(attempt_fn *attempt)
{
    int status = try_inside(attempt, 0);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
        fail_msg("it ended by %#x", status);
}

static void answers(attempt_fn *attempt, int expected)
{
    int status = try_inside(attempt, 64);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != expected)
        fail_msg("it ended by %#x", status);
}

/* --- attempts --------------------------------------------------------------------- */

static int a_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) >= 0 ? DONE : MISSED;
}

static int a_socket_of_unix(void)
{
    return socket(AF_UNIX, SOCK_STREAM, 0) >= 0 ? DONE : MISSED;
}

static int a_child(void)
{
    return fork() >= 0 ? DONE : MISSED;
}

static int a_program(void)
{
    char *const arguments[] = {NULL};
    return execve("/bin/true", arguments, arguments);
}

static int another_process(void)
{
    return kill(getppid(), SIGTERM) == 0 ? DONE : MISSED;
}

static int spying(void)
{
    return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0 ? DONE : MISSED;
}

static int code_of_its_own(void)
{
    void *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return map != MAP_FAILED ? DONE : MISSED;
}

static int removal(void)
{
    return unlink("/tmp/nothing-of-this-name") == 0 ? DONE : MISSED;
}

static int another_root(void)
{
    return chdir("/") == 0 ? DONE : MISSED;
}

static int a_file_in_memory(void)
{
    return syscall(SYS_memfd_create, "x", 0) >= 0 ? DONE : MISSED;
}

static int writing_a_file(void)
{
    return open("/tmp/sandbox-test", O_WRONLY | O_CREAT, 0600) >= 0 ? DONE : MISSED;
}

static int reading_a_file(void)
{
    return open("/etc/passwd", O_RDONLY) >= 0 || errno != EACCES ? DONE : MISSED;
}

static int computing(void)
{
    char *memory = malloc(1 << 20);
    if (memory == NULL)
        return MISSED;
    memory[0] = 1;
    free(memory);
    return getenv("PATH") == NULL ? DONE : MISSED;
}

static int other_descriptors(void)
{
    char byte;
    for (int fd = 3; fd < 64; fd++)
        if (read(fd, &byte, 1) >= 0 || errno != EBADF)
            return DONE;
    return MISSED;
}

static int much_memory(void)
{
    void *map = mmap(NULL, (size_t)128 << 20, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return map != MAP_FAILED ? DONE : MISSED;
}

static int much_shared_memory(void)
{
    void *map = mmap(NULL, (size_t)1 << 30, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return map != MAP_FAILED ? DONE : MISSED;
}

static int without_end(void)
{
    volatile unsigned long turns = 1;
    while (turns > 0)
        turns = turns % 1000 + 1;
    return DONE;
}

static int a_crash(void)
{
    abort();
}

/* --- the tests -------------------------------------------------------------------- */

static void the_network_is_out_of_reach(void **state)
{
    (void)state;
    is_killed_for(a_socket);
    is_killed_for(a_socket_of_unix);
}

static void no_process_is_started_or_touched(void **state)
{
    (void)state;
    is_killed_for(a_child);
    is_killed_for(a_program);
    is_killed_for(another_process);
    is_killed_for(spying);
}

static void files_are_out_of_reach(void **state)
{
    (void)state;
    is_killed_for(removal);
    is_killed_for(another_root);
    is_killed_for(a_file_in_memory);
    answers(writing_a_file, MISSED);
    assert_int_not_equal(access("/tmp/sandbox-test", F_OK), 0);
    answers(reading_a_file, MISSED);
    answers(other_descriptors, MISSED);
}

static void memory_is_data_and_bounded(void **state)
{
    (void)state;
    is_killed_for(code_of_its_own);
    answers(computing, DONE);
    if (EXTRACT_SANITIZED)
        return; /* the parent's watch alone then bounds it */
    answers(much_memory, MISSED);
    answers(much_shared_memory, MISSED);
}

static void time_is_bounded(void **state)
{
    const struct sandbox_limits limits = {.cpu_s = 1};
    int status = 0;
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(sandbox_enter(&limits, 0) == SH_OK ? without_end() : NO_SANDBOX);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGXCPU);
}

static void a_crash_is_a_crash(void **state)
{
    (void)state;
    int status = try_inside(a_crash, 64);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_false(WCOREDUMP(status));
}

static void a_stranger_is_no_parent(void **state)
{
    const struct sandbox_limits limits = {.cpu_s = 1};
    int status = 0;
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(sandbox_enter(&limits, 1 << 30) == SH_OK ? DONE : NO_SANDBOX);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WEXITSTATUS(status), NO_SANDBOX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_network_is_out_of_reach),
        cmocka_unit_test(no_process_is_started_or_touched),
        cmocka_unit_test(files_are_out_of_reach),
        cmocka_unit_test(memory_is_data_and_bounded),
        cmocka_unit_test(time_is_bounded),
        cmocka_unit_test(a_crash_is_a_crash),
        cmocka_unit_test(a_stranger_is_no_parent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
