#include "services/graph/ask/question.h"

struct pending {
    struct question question;
    struct sh_work work;
    const struct question_kind *kind;
    struct sh_rpc_call *call;
    struct held_graph *held;
    bool entered;
    enum sh_err err;
};

static void run(struct sh_work *work)
{
    struct pending *pending = SH_CONTAINER_OF(work, struct pending, work);
    struct question *question = &pending->question;
    if (atomic_load(&question->cancelled)) {
        pending->err = SH_CANCELED;
        return;
    }
    pending->err = graph_enter(pending->held->graph, sh_rpc_call_caller(pending->call),
                               &question->reader);
    question->finder = pending->held->finder;
    question->values = pending->held->values;
    pending->entered = pending->err == SH_OK;
    if (pending->entered)
        pending->err = pending->kind->answer(question);
}

static void answer(struct pending *pending, enum sh_err err)
{
    const struct question *question = &pending->question;
    if (err == SH_OK)
        sh_rpc_reply(pending->call, pending->kind->reply(), question->reply);
    else
        sh_rpc_fail(pending->call, err, question->code, question->field, "%s",
                    question->message[0] ? question->message : sh_err_text(err));
}

static void release(struct pending *pending)
{
    if (pending->entered)
        graph_leave(&pending->question.reader);
    held_release(pending->held);
    sh_arena_free(&pending->question.arena);
    sh_free(pending);
}

static void on_done(struct sh_work *work, enum sh_err err)
{
    struct pending *pending = SH_CONTAINER_OF(work, struct pending, work);
    answer(pending, err == SH_OK ? pending->err : err);
    release(pending);
}

static void on_cancel(void *arg)
{
    struct pending *pending = arg;
    atomic_store(&pending->question.cancelled, true);
}

static enum sh_err begin(struct pending *pending, const struct question_method *method,
                         struct sh_rpc_call *call)
{
    const struct question_kind *kind = method->kind;
    struct question *question = &pending->question;
    question->request = sh_arena_alloc(&question->arena, kind->request_size + 1);
    question->reply = sh_arena_alloc(&question->arena, kind->reply_size);
    question->asker = method->asker;
    question->deadline_ms = sh_rpc_call_deadline_ms(call);
    pending->kind = kind;
    pending->call = call;
    pending->work = (struct sh_work){.run = run, .done = on_done};
    if (question->request == NULL || question->reply == NULL)
        return SH_NOMEM;
    pending->held = feed_hold(method->asker->feed);
    return pending->held ? SH_OK : SH_UNAVAILABLE;
}

static void handle(void *arg, struct sh_rpc_call *call)
{
    const struct question_method *method = arg;
    struct pending *pending = sh_alloc(sizeof(*pending));
    enum sh_err err = pending ? begin(pending, method, call) : SH_NOMEM;
    if (err == SH_OK && method->kind->request != NULL &&
        sh_rpc_call_decode(call, method->kind->request(), pending->question.request) !=
            SH_OK) {
        release(pending); /* it has been answered */
        return;
    }
    if (err == SH_OK)
        err = sh_workers_submit(method->asker->workers, &pending->work);
    if (err == SH_OK) {
        sh_rpc_call_on_cancel(call, on_cancel, pending);
        return;
    }
    sh_rpc_fail(call, err, NULL, NULL, "%s", sh_err_text(err));
    if (pending != NULL)
        release(pending);
}

enum sh_err question_serve(struct sh_rpc_server *rpc, struct question_method *method)
{
    return sh_rpc_server_add(rpc, method->kind->method, method->kind->name, 0, handle,
                             method);
}
