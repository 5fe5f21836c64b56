#include "cli/cairn/bench/crowd.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/clock.h"
#include "shared/mem.h"

struct user {
    const struct crowd *crowd;
    pthread_barrier_t *start;
    unsigned number;
    struct api *api;
    double *seconds; /* room for all its requests */
    size_t answered, limited, failed;
    char error[API_ERROR_MAX];
};

static char *body_of(const struct user *user, unsigned request)
{
    const struct crowd *crowd = user->crowd;
    char question[1024], name[32];
    unsigned nth = user->number * crowd->requests + request;
    const char *asked = crowd->questions[nth % crowd->question_count];

    (void)snprintf(name, sizeof(name), "bench-%u", user->number);
    (void)snprintf(question, sizeof(question), crowd->fresh ? "%.*s %x %u" : "%.*s", 1000,
                   asked, crowd->fresh, nth);
    json_t *body = json_pack("{s:s}", "query", question);
    if (body && crowd->role) {
        size_t role = strcspn(crowd->role, ":");
        json_t *who =
            json_pack("{s:s, s:s%}", "user_id", name, "role", crowd->role, role);
        if (who && crowd->role[role])
            json_object_set_new(who, "department", json_string(crowd->role + role + 1));
        json_object_set_new(body, "user", who);
    }
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    return text;
}

static void ask(struct user *user, unsigned request, struct api_reply *reply)
{
    char *body = body_of(user, request);
    uint64_t before = sh_now_us();
    enum api_end end = !body ? API_UNREADABLE
                             : api_call(user->api,
                                        &(struct api_request){.method = "POST",
                                                              .path = "/api/search",
                                                              .body = sh_bytes_of(body)},
                                        reply);
    if (end == API_ANSWERED && reply->status == 200)
        user->seconds[user->answered++] = (double)(sh_now_us() - before) / 1e6;
    else if (end == API_ANSWERED && reply->status == 429)
        user->limited++;
    else {
        user->failed++;
        (void)snprintf(user->error, sizeof(user->error), "%s", reply->error);
    }
    free(body); /* jansson's */
}

static void *work(void *arg)
{
    struct user *user = arg;
    struct api_reply reply = {0};

    (void)pthread_barrier_wait(user->start);
    for (unsigned i = 0; i < user->crowd->requests; i++)
        ask(user, i, &reply);
    api_reply_free(&reply);
    return NULL;
}

/* --- all of them ------------------------------------------------------------------ */

static bool open_user(struct user *user, const struct crowd *crowd, unsigned number,
                      pthread_barrier_t *start)
{
    *user = (struct user){.crowd = crowd, .start = start, .number = number};
    user->api = api_new(crowd->settings);
    user->seconds = sh_alloc_array(crowd->requests, sizeof(*user->seconds));
    return user->api && user->seconds;
}

static void close_users(struct user *users, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        api_free(&users[i].api);
        sh_free(users[i].seconds);
    }
    sh_free(users);
}

static int ascending(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

static bool add_up(const struct crowd *crowd, const struct user *users,
                   struct crowd_outcome *outcome)
{
    size_t most = (size_t)crowd->users * crowd->requests;
    outcome->seconds = sh_alloc_array(most, sizeof(*outcome->seconds));
    if (!outcome->seconds)
        return false;
    for (unsigned i = 0; i < crowd->users; i++) {
        const struct user *user = &users[i];
        memcpy(outcome->seconds + outcome->answered, user->seconds,
               user->answered * sizeof(*user->seconds));
        outcome->answered += user->answered;
        outcome->limited += user->limited;
        outcome->failed += user->failed;
        if (user->error[0])
            memcpy(outcome->error, user->error, sizeof(outcome->error));
    }
    qsort(outcome->seconds, outcome->answered, sizeof(*outcome->seconds), ascending);
    return true;
}

/* Threads that wait at a barrier of more than there are would wait for ever: the process
 * ends then, which is all that can be done. */
static void start(pthread_t *thread, struct user *user)
{
    if (pthread_create(thread, NULL, work, user) != 0) {
        (void)fprintf(stderr, "cairn: no thread for user %u\n", user->number);
        exit(EXIT_FAILURE);
    }
}

bool crowd_run(const struct crowd *crowd, struct crowd_outcome *outcome)
{
    pthread_barrier_t together;
    unsigned ready = 0;
    struct user *users = sh_alloc_array(crowd->users, sizeof(*users));
    pthread_t *threads = sh_alloc_array(crowd->users, sizeof(*threads));

    *outcome = (struct crowd_outcome){0};
    while (users && threads && ready < crowd->users &&
           open_user(&users[ready], crowd, ready, &together))
        ready++;
    bool good = ready == crowd->users &&
                pthread_barrier_init(&together, NULL, crowd->users + 1) == 0;
    for (unsigned i = 0; good && i < crowd->users; i++)
        start(&threads[i], &users[i]);
    if (good) {
        (void)pthread_barrier_wait(&together);
        uint64_t began = sh_now_us();
        for (unsigned i = 0; i < crowd->users; i++)
            (void)pthread_join(threads[i], NULL);
        outcome->wall_s = (double)(sh_now_us() - began) / 1e6;
        (void)pthread_barrier_destroy(&together);
        good = add_up(crowd, users, outcome);
    }
    if (users)
        close_users(users, ready < crowd->users ? ready + 1 : ready);
    sh_free(threads);
    return good;
}

void crowd_free(struct crowd_outcome *outcome)
{
    sh_free(outcome->seconds);
    outcome->seconds = NULL;
}
