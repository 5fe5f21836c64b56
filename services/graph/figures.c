#include "services/graph/figures.h"

#include "shared/metrics.h"

static struct sh_family index_bytes = {
    .kind = SH_GAUGE,
    .name = "cairn_graph_index_bytes",
    .help = "Memory that indexes of properties take, by what they are for.",
    .labels = {"kind"}};
static struct sh_family indexes = {
    .kind = SH_GAUGE,
    .name = "cairn_graph_indexes",
    .help = "Indexes of properties that are there, by what they are for.",
    .labels = {"kind"}};
static struct sh_family vector_bytes = {.kind = SH_GAUGE,
                                        .name = "cairn_graph_vector_bytes",
                                        .help = "Memory that vectors of texts take."};
static struct sh_family vectors = {.kind = SH_GAUGE,
                                   .name = "cairn_graph_vectors",
                                   .help = "Nodes whose texts have been made vectors."};

struct sum {
    size_t count;
    size_t bytes;
};

static void add(void *arg, struct sh_bytes property, size_t bytes, size_t entries)
{
    struct sum *sum = arg;

    (void)property;
    (void)entries;
    sum->count++;
    sum->bytes += bytes;
}

static void show(const char *kind, const struct sum *sum)
{
    sh_series_set(sh_series(&indexes, &kind), (double)sum->count);
    sh_series_set(sh_series(&index_bytes, &kind), (double)sum->bytes);
}

static void on_scrape(void *arg)
{
    const struct figures *self = arg;
    struct held_graph *held = feed_hold(self->feed);
    struct sum names = {0};
    struct sum values = {0};
    struct sum texts = {0};

    if (held != NULL) {
        finder_each(held->finder, add, &names);
        value_finder_each(held->values, add, &values);
    }
    held_release(held);
    if (self->vectors != NULL)
        node_vectors_figures(self->vectors, &texts.count, &texts.bytes);
    show("words", &names);
    show("values", &values);
    sh_series_set(sh_series(&vectors, NULL), (double)texts.count);
    sh_series_set(sh_series(&vector_bytes, NULL), (double)texts.bytes);
}

enum sh_err figures_start(struct figures *self)
{
    return sh_metrics_on_scrape(on_scrape, self);
}

void figures_stop(struct figures *self)
{
    sh_metrics_off_scrape(on_scrape, self);
}
