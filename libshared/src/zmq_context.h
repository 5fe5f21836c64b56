/* zmq_context: the process's one ZeroMQ context, shared by the loops of all threads: made
 * with the first reference, ended with the last. Never use it across a fork. Any thread.
 */
#ifndef LIBSHARED_ZMQ_CONTEXT_H
#define LIBSHARED_ZMQ_CONTEXT_H

/* NULL when out of memory or descriptors. */
void *zmq_context_ref(void);
/* The last one waits for what lingers. */
void zmq_context_unref(void);

#endif
