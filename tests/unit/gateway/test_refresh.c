/* ?refresh= on writes: whom the gateway asks, and what it says they answered. */
#define SEARCH_REPLICAS 4 /* the fourth is never there */
#include "gateway_fixture.h"

enum { LIVE = 3 };

static const char document[] = "{\"id\":\"d\",\"title\":\"t\",\"text\":\"x\"}";

struct replica {
    struct fixture *f;
    struct sh_rpc_server **server;
    struct sh_rpc_server *own;
    struct sh_rpc_call *waiting[WINDOW];
    size_t count;
    size_t canceled;
    uint64_t xid;
    uint32_t wait_ms;
};

static struct replica replicas[LIVE];

static void on_wait_canceled(void *arg)
{
    struct replica *replica = arg;
    replica->canceled++;
}

static void on_wait(void *arg, struct sh_rpc_call *call)
{
    struct replica *replica = arg;
    struct view_wait wait;
    if (sh_rpc_call_decode(call, view_wait_desc(), &wait) != SH_OK)
        return;
    assert_true(replica->count < WINDOW);
    sh_rpc_call_on_cancel(call, on_wait_canceled, replica);
    replica->xid = wait.xid;
    replica->wait_ms = wait.wait_ms;
    replica->waiting[replica->count++] = call;
}

static void on_delete(void *arg, struct sh_rpc_call *call)
{
    struct fixture *f = arg;
    struct document_gone gone = {.xid = 77};
    struct document_ref ref;
    if (sh_rpc_call_decode(call, document_ref_desc(), &ref) != SH_OK)
        return;
    f->no_wait = ref.no_wait;
    gone.visible = !ref.no_wait;
    sh_rpc_reply(call, document_gone_desc(), &gone);
}

static void shows(size_t which, bool visible)
{
    const struct view_shown shown = {.visible = visible};
    struct sh_rpc_call *call = replicas[which].waiting[--replicas[which].count];
    sh_rpc_reply(call, view_shown_desc(), &shown);
}

static int set_up_replicas(void **state)
{
    set_up(state);
    struct fixture *f = *state;
    for (int i = 0; i < LIVE; i++) {
        char name[32];
        replicas[i] = (struct replica){.f = f};
        replicas[i].server = i == 0 ? &f->search : &replicas[i].own;
        (void)snprintf(name, sizeof name, "search-%d", i + 1);
        if (i > 0)
            serve_at(f, "search", name, replicas[i].server);
        assert_int_equal(sh_rpc_server_add(*replicas[i].server, METHOD_VIEW_WAIT,
                                           "search.shown", 0, on_wait, &replicas[i]),
                         SH_OK);
        if (i == 0)
            continue;
        assert_int_equal(sh_rpc_server_add(*replicas[i].server, METHOD_DOCUMENT_PUT,
                                           "search.put", 0, on_put, f),
                         SH_OK);
    }
    for (int i = 0; i < LIVE; i++)
        assert_int_equal(sh_rpc_server_add(*replicas[i].server, METHOD_DOCUMENT_DELETE,
                                           "search.delete", 0, on_delete, f),
                         SH_OK);
    pump_until(f, sh_rpc_client_ready(f->edge.peers[PEER_SEARCH]) == LIVE);
    return 0;
}

static int tear_down_replicas(void **state)
{
    struct fixture *f = *state;
    char path[128];
    for (int i = 1; i < LIVE; i++) {
        sh_rpc_server_close(&replicas[i].own);
        (void)snprintf(path, sizeof path, "%s/search-%d", f->folder, i + 1);
        unlink(path);
    }
    return tear_down(state);
}

static int ask_to(struct fixture *f, const char *method, const char *path,
                  const char *body)
{
    char request[1024];
    int fd = dial(f);
    (void)snprintf(request, sizeof request,
                   "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                   "Content-Length: %zu\r\n\r\n%s",
                   method, path, strlen(body), body);
    say(fd, request);
    return fd;
}

static bool all_wait(size_t each)
{
    bool all = true;
    for (size_t i = 0; i < LIVE; i++)
        all = all && replicas[i].count == each;
    return all;
}

static void end(struct fixture *f, int fd)
{
    pump_until(f, (heard(f, fd, "\r\n\r\n"), f->heard_end));
    close(fd);
}

static void a_write_may_wait_for_all_replicas(void **state)
{
    struct fixture *f = *state;
    int fd = ask_to(f, "POST", "/api/documents?refresh=true", document);
    pump_until(f, all_wait(1));
    assert_true(f->no_wait); /* the one that stores it is asked like the others */
    assert_int_equal(replicas[2].xid, 4000000007);
    assert_int_equal(replicas[2].wait_ms, 5 * PATIENCE_MS);
    for (size_t i = LIVE; i > 0; i--) {
        assert_false(heard(f, fd, "HTTP/"));
        shows(i - 1, true);
    }
    end(f, fd);
    assert_says(f->heard, "HTTP/1.1 201 ");
    assert_says(f->heard, "{\"document_id\":\"d\",\"chunks\":2,\"visible\":true,"
                          "\"replicas\":{\"total\":3,\"visible\":3}}");
}

static void one_that_is_late_is_told(void **state)
{
    struct fixture *f = *state;
    int fd = ask_to(f, "POST", "/api/documents?refresh=1", document);
    pump_until(f, all_wait(1));
    shows(0, true);
    shows(1, false); /* it waited as long as it was told to */
    shows(2, true);
    end(f, fd);
    assert_says(f->heard, "HTTP/1.1 201 "); /* it is stored */
    assert_says(f->heard, "\"visible\":false,\"replicas\":{\"total\":3,\"visible\":2}");
}

static void one_that_dies_holds_nobody_up(void **state)
{
    struct fixture *f = *state;
    int fd = ask_to(f, "DELETE", "/api/documents/d?refresh=true", "");
    pump_until(f, all_wait(1));
    assert_int_equal(replicas[0].xid, 77);
    assert_true(f->no_wait);
    shows(0, true);
    shows(1, true);
    sh_rpc_server_close(&replicas[2].own);
    end(f, fd);
    shows(2, true); /* owed, to nobody */
    assert_says(f->heard, "HTTP/1.1 200 ");
    assert_says(f->heard, "{\"deleted\":true,\"document_id\":\"d\",\"visible\":false,"
                          "\"replicas\":{\"total\":3,\"visible\":2}}");
    fd = ask_to(f, "DELETE", "/api/documents/d?refresh=true", "");
    pump_until(f, replicas[0].count == 1 && replicas[1].count == 1);
    shows(0, true);
    shows(1, true);
    end(f, fd); /* the dead one shows nothing at all: it is not counted */
    assert_says(f->heard, "\"visible\":true,\"replicas\":{\"total\":2,\"visible\":2}");
}

static void without_it_the_replica_that_stores_answers_for_itself(void **state)
{
    struct fixture *f = *state;
    const char *answer = post(f, "/api/documents", "", document);
    assert_says(answer, "\"chunks\":2,\"visible\":true}");
    assert_false(f->no_wait);
    end(f, ask_to(f, "DELETE", "/api/documents/d", ""));
    assert_says(f->heard, "\"document_id\":\"d\",\"visible\":true}");
    assert_true(all_wait(0));
}

static void refresh_false_waits_for_nobody(void **state)
{
    struct fixture *f = *state;
    const char *answer = post(f, "/api/documents?refresh=false", "", document);
    assert_says(answer, "\"chunks\":2}");
    assert_true(f->no_wait);
    end(f, ask_to(f, "DELETE", "/api/documents/d?refresh=0", ""));
    assert_says(f->heard, "\"document_id\":\"d\"}");
    assert_true(f->no_wait);
    assert_true(all_wait(0));
}

static void other_values_are_refused(void **state)
{
    struct fixture *f = *state;
    const char *answer = post(f, "/api/documents?refresh=maybe", "", document);
    assert_says(answer, "HTTP/1.1 400 ");
    assert_says(answer, "\"field\":\"refresh\"");
    answer = post(f, "/api/documents/batch?wait=true&refresh=2", "", document);
    assert_says(answer, "\"field\":\"refresh\"");
    end(f, ask_to(f, "DELETE", "/api/documents/d?refresh=wait_for_it", ""));
    assert_says(f->heard, "HTTP/1.1 400 ");
    assert_int_equal(f->puts, 0);
}

static void a_client_that_leaves_stops_the_waiting(void **state)
{
    struct fixture *f = *state;
    int fd = ask_to(f, "POST", "/api/documents?refresh=true", document);
    pump_until(f, all_wait(1));
    hang_up(fd);
    for (size_t i = 0; i < LIVE; i++) {
        pump_until(f, replicas[i].canceled == 1);
        shows(i, true);
    }
}

static void each_line_of_a_batch_waits_for_all(void **state)
{
    struct fixture *f = *state;
    int fd = ask_to(f, "POST", "/api/documents/batch?wait=true&refresh=true",
                    "{\"id\":\"a\",\"title\":\"t\",\"text\":\"x\"}\n"
                    "{\"id\":\"b\",\"title\":\"t\"}\n"
                    "{\"id\":\"c\",\"title\":\"t\",\"text\":\"x\"}\n");
    pump_until(f, all_wait(2)); /* a bad line waits for nobody */
    for (size_t i = 0; i < LIVE; i++) {
        shows(i, i != 1); /* of line 3, or of line 1 */
        shows(i, true);
    }
    end(f, fd);
    assert_says(f->heard, "\"visible\":true,\"replicas\":{\"total\":3,\"visible\":3}}\n");
    assert_says(f->heard,
                "\"visible\":false,\"replicas\":{\"total\":3,\"visible\":2}}\n");
    assert_says(f->heard, "{\"line\":2,\"status\":\"error\"");
}

static void a_batch_may_wait_for_nobody(void **state)
{
    struct fixture *f = *state;
    const char *answer =
        post(f, "/api/documents/batch?wait=true&refresh=false", "", document);
    assert_says(answer, "\"chunks\":2}\n");
    assert_true(f->no_wait);
    assert_true(all_wait(0));
}

static void a_client_that_leaves_a_batch_stops_the_waiting(void **state)
{
    struct fixture *f = *state;
    int fd = ask_to(f, "POST", "/api/documents/batch?wait=true&refresh=true", document);
    pump_until(f, all_wait(1));
    hang_up(fd);
    for (size_t i = 0; i < LIVE; i++) {
        pump_until(f, replicas[i].canceled == 1);
        shows(i, true);
    }
}

int main(void)
{
#define WITH(test)                                                                       \
    cmocka_unit_test_setup_teardown(test, set_up_replicas, tear_down_replicas)
    sh_log_set_level(SH_CRITICAL);
    const struct CMUnitTest tests[] = {
        WITH(a_write_may_wait_for_all_replicas),
        WITH(one_that_is_late_is_told),
        WITH(one_that_dies_holds_nobody_up),
        WITH(without_it_the_replica_that_stores_answers_for_itself),
        WITH(refresh_false_waits_for_nobody),
        WITH(other_values_are_refused),
        WITH(a_client_that_leaves_stops_the_waiting),
        WITH(each_line_of_a_batch_waits_for_all),
        WITH(a_batch_may_wait_for_nobody),
        WITH(a_client_that_leaves_a_batch_stops_the_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
