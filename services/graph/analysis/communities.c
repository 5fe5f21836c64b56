/* Louvain: nodes move to the community where modularity gains most until none gains, then
 * each community becomes a node; and so on. */
#include "services/graph/analysis/measures.h"

enum { LOOK_EVERY = 1024, PASSES = 100 };

static const double least_gain = 1e-9; /* in edges */

struct level { /* a graph without directions */
    uint32_t count;
    uint32_t *first;
    uint32_t *peer;
    double *weight;
    double *loop; /* of edges to itself, counted from both ends */
};

struct louvain {
    struct level level;
    double resolution;
    double all;          /* the degrees of all */
    uint32_t *community; /* of each node of the level */
    double *inside;      /* degrees of a community */
    double *degree;
    double *to; /* weight from a node to each community; 0 between nodes */
    uint32_t *touched;
    struct analysis_watch *watch;
};

static void free_level(struct level *level)
{
    sh_free(level->first);
    sh_free(level->peer);
    sh_free(level->weight);
    sh_free(level->loop);
    *level = (struct level){.count = 0};
}

static enum sh_err make_level(struct level *level, uint32_t count, size_t links)
{
    *level = (struct level){
        .count = count,
        .first = sh_alloc_array((size_t)count + 2, sizeof(*level->first)),
        .peer = sh_alloc_array(links + 1, sizeof(*level->peer)),
        .weight = sh_alloc_array(links + 1, sizeof(*level->weight)),
        .loop = sh_alloc_array((size_t)count + 1, sizeof(*level->loop)),
    };
    if (level->first && level->peer && level->weight && level->loop)
        return SH_OK;
    free_level(level);
    return SH_NOMEM;
}

/* --- the first level -------------------------------------------------------------- */

static enum sh_err ground_level(const struct dense *graph, struct level *level)
{
    enum sh_err err = make_level(level, graph->count, (size_t)graph->edge_count * 2);
    if (err != SH_OK)
        return err;
    uint32_t *next = level->first + 1; /* where each node's links go on */
    for (uint32_t i = 0; i < graph->count; i++)
        for (uint32_t j = graph->first[i]; j < graph->first[i + 1]; j++)
            if (graph->target[j] != i) {
                level->first[i + 2 > graph->count + 1 ? graph->count + 1 : i + 2]++;
                level->first[graph->target[j] + 2]++;
            }
    for (uint32_t i = 0; i < graph->count; i++)
        next[i + 1] += next[i];
    for (uint32_t i = 0; i < graph->count; i++)
        for (uint32_t j = graph->first[i]; j < graph->first[i + 1]; j++) {
            uint32_t other = graph->target[j];
            if (other == i) {
                level->loop[i] += 2;
                continue;
            }
            level->weight[next[i]] = level->weight[next[other]] = 1;
            level->peer[next[i]++] = other;
            level->peer[next[other]++] = i;
        }
    return SH_OK;
}

/* --- moving ----------------------------------------------------------------------- */

/* Weights from a node to the communities around it; returns how many there are. */
static uint32_t look_around(struct louvain *self, uint32_t node)
{
    const struct level *level = &self->level;
    uint32_t count = 0;
    self->touched[count++] = self->community[node];
    for (uint32_t i = level->first[node]; i < level->first[node + 1]; i++) {
        uint32_t community = self->community[level->peer[i]];
        if (self->to[community] <= 0 && community != self->community[node])
            self->touched[count++] = community;
        self->to[community] += level->weight[i];
    }
    return count;
}

/* Where it gains most; where it is, unless another place is better. */
static uint32_t best_place(struct louvain *self, uint32_t node, uint32_t count)
{
    double share = self->resolution * self->degree[node] / self->all;
    uint32_t own = self->community[node];
    uint32_t best = own;
    double best_gain = self->to[own] - share * (self->inside[own] - self->degree[node]);
    for (uint32_t i = 1; i < count; i++) {
        uint32_t community = self->touched[i];
        double gain = self->to[community] - share * self->inside[community];
        if (gain > best_gain + least_gain ||
            (best != own && gain >= best_gain && community < best)) {
            best = community;
            best_gain = gain;
        }
    }
    return best;
}

static bool move(struct louvain *self, uint32_t node)
{
    uint32_t count = look_around(self, node);
    uint32_t own = self->community[node];
    uint32_t best = best_place(self, node, count);
    for (uint32_t i = 0; i < count; i++)
        self->to[self->touched[i]] = 0;
    self->inside[own] -= self->degree[node];
    self->inside[best] += self->degree[node];
    self->community[node] = best;
    return best != own;
}

/* Every node a community of its own, then moves until there are no more. */
static enum sh_err move_all(struct louvain *self, bool *moved)
{
    const struct level *level = &self->level;
    bool again = true;
    for (uint32_t i = 0; i < level->count; i++) {
        self->community[i] = i;
        self->degree[i] = level->loop[i];
        for (uint32_t j = level->first[i]; j < level->first[i + 1]; j++)
            self->degree[i] += level->weight[j];
        self->inside[i] = self->degree[i];
    }
    *moved = false;
    for (unsigned pass = 0; pass < PASSES && again; pass++) {
        again = false;
        for (uint32_t i = 0; i < level->count; i++) {
            if (i % LOOK_EVERY == 0 && atomic_load(&self->watch->cancelled))
                return SH_CANCELED;
            again = move(self, i) || again;
        }
        *moved = *moved || again;
    }
    return SH_OK;
}

/* --- the next level --------------------------------------------------------------- */

/* Numbers without gaps, in order of the first node; returns how many. */
static uint32_t renumber(struct louvain *self)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < self->level.count; i++)
        self->touched[i] = DENSE_NONE;
    for (uint32_t i = 0; i < self->level.count; i++) {
        uint32_t *number = &self->touched[self->community[i]];
        if (*number == DENSE_NONE)
            *number = count++;
        self->community[i] = *number;
    }
    return count;
}

struct merging {
    struct louvain *below;
    struct level *up;
    uint32_t community;
    uint32_t at; /* where its next link goes */
};

static void merge_node(struct merging *merging, uint32_t node)
{
    const struct level *level = &merging->below->level;
    struct level *up = merging->up;
    double *to = merging->below->to;
    up->loop[merging->community] += level->loop[node];
    for (uint32_t i = level->first[node]; i < level->first[node + 1]; i++) {
        uint32_t peer = merging->below->community[level->peer[i]];
        if (peer == merging->community) {
            up->loop[peer] += level->weight[i];
            continue;
        }
        if (to[peer] <= 0)
            up->peer[merging->at++] = peer;
        to[peer] += level->weight[i];
    }
}

/* The links of one community: those of its members, each peer once. */
static void merge(struct merging *merging, const uint32_t *members, uint32_t count)
{
    struct level *up = merging->up;
    double *to = merging->below->to;
    uint32_t begin = merging->at;
    for (uint32_t i = 0; i < count; i++)
        merge_node(merging, members[i]);
    for (uint32_t i = begin; i < merging->at; i++) {
        up->weight[i] = to[up->peer[i]];
        to[up->peer[i]] = 0;
    }
    up->first[merging->community + 1] = merging->at;
}

static enum sh_err climb(struct louvain *self, uint32_t count)
{
    struct level up;
    uint32_t below = self->level.count;
    uint32_t *members = sh_alloc_array((size_t)below + 1, sizeof(*members));
    uint32_t *begin = sh_alloc_array((size_t)count + 2, sizeof(*begin));
    enum sh_err err =
        members && begin ? make_level(&up, count, self->level.first[below]) : SH_NOMEM;
    if (err == SH_OK) {
        for (uint32_t i = 0; i < below; i++)
            begin[self->community[i] + 1]++;
        for (uint32_t i = 0; i < count; i++)
            begin[i + 1] += begin[i];
        for (uint32_t i = 0; i < below; i++)
            members[begin[self->community[i]]++] = i;
        struct merging merging = {.below = self, .up = &up};
        for (uint32_t start = 0; merging.community < count; merging.community++) {
            uint32_t end = begin[merging.community];
            merge(&merging, members + start, end - start);
            start = end;
        }
        free_level(&self->level);
        self->level = up;
    }
    sh_free(members);
    sh_free(begin);
    return err;
}

/* --- all of it -------------------------------------------------------------------- */

/* Of the level's nodes as they are: each is a community. */
static double modularity_of(const struct louvain *self)
{
    const struct level *level = &self->level;
    double sum = 0;
    for (uint32_t i = 0; i < level->count && self->all > 0; i++) {
        double degree = level->loop[i];
        for (uint32_t j = level->first[i]; j < level->first[i + 1]; j++)
            degree += level->weight[j];
        degree /= self->all;
        sum += level->loop[i] / self->all - self->resolution * degree * degree;
    }
    return sum;
}

static enum sh_err run(struct louvain *self, uint32_t node_count, uint32_t *groups)
{
    enum sh_err err = SH_OK;
    bool moved = true;
    while (err == SH_OK && moved) {
        err = move_all(self, &moved);
        if (err != SH_OK || !moved)
            break;
        uint32_t count = renumber(self);
        for (uint32_t i = 0; i < node_count; i++)
            groups[i] = self->community[groups[i]];
        atomic_fetch_add(&self->watch->done, 1);
        err = climb(self, count);
    }
    return err;
}

static enum sh_err prepare(struct louvain *self, const struct dense *graph)
{
    size_t count = (size_t)graph->count + 1;
    self->all = 2.0 * graph->edge_count;
    self->community = sh_alloc_array(count, sizeof(*self->community));
    self->inside = sh_alloc_array(count, sizeof(*self->inside));
    self->degree = sh_alloc_array(count, sizeof(*self->degree));
    self->to = sh_alloc_array(count, sizeof(*self->to));
    self->touched = sh_alloc_array(count, sizeof(*self->touched));
    if (!self->community || !self->inside || !self->degree || !self->to || !self->touched)
        return SH_NOMEM;
    return ground_level(graph, &self->level);
}

enum sh_err measure_communities(const struct dense *graph, double resolution,
                                struct analysis_watch *watch, uint32_t *groups,
                                uint32_t *group_count, double *modularity)
{
    struct louvain self = {.resolution = resolution, .watch = watch};
    enum sh_err err = prepare(&self, graph);
    for (uint32_t i = 0; i < graph->count; i++)
        groups[i] = i;
    if (err == SH_OK && graph->edge_count > 0)
        err = run(&self, graph->count, groups);
    *modularity = err == SH_OK ? modularity_of(&self) : 0;
    free_level(&self.level);
    sh_free(self.community);
    sh_free(self.inside);
    sh_free(self.degree);
    sh_free(self.to);
    sh_free(self.touched);
    return err == SH_OK ? measure_number_groups(graph->count, groups, group_count) : err;
}
