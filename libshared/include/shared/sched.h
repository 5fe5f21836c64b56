/* What a thread asks of Linux's scheduler. Hints: where the kernel does not know one, or
 * refuses it, the thread runs as it did. Each is of the calling thread, and of those that
 * it starts from then on. */
#ifndef SHARED_SCHED_H
#define SHARED_SCHED_H

/* For a loop: short slices. A thread of ours that wakes then runs before one that
 * computes and has not used up its own slice (since Linux 6.12; EEVDF, and PREEMPT_SHORT
 * in kernel/sched/features.h of Linux). A request wakes some eight threads one after the
 * other, and would wait for a slice of a busy core each time. */
void sh_sched_prompt(void);

/* For a thread that computes: the kernel's usual slices. */
void sh_sched_usual(void);

/* For long work in small pieces between which sh_yield_pause() is asked: the longest
 * slices, so that whoever wakes runs before it. As nice as any: one that is starved keeps
 * what it holds of the process, such as its map of memory, and others wait for it. */
void sh_sched_patient(void);

/* For work that nobody waits for: the same and nice 19, and without special rights there
 * is no way back. Not SCHED_IDLE: a thread of that class may keep what it holds of the
 * process, such as its map of memory, for as long as others have anything to do, and they
 * wait for it then (a change of generation beside searches: their p99 was 180 ms, and 30
 * ms with this). */
void sh_sched_background(void);

#endif
