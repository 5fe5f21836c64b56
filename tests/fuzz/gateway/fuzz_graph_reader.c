/* Any bytes as a graph in each format, in pieces: the first byte says which format and
 * how long the pieces are. What comes out must keep to its bounds. */
#include <stdlib.h>

#include "proto/wire.h"
#include "services/gateway/graphs/portion.h"
#include "services/gateway/graphs/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool holds)
{
    if (!holds)
        abort();
}

static void on_node(void *arg, const struct graph_node_put *node)
{
    need(node->id.len > 0 && node->id.len <= 256 && wire_utf8(node->id));
    need(node->properties.len >= 2 && wire_utf8(node->properties));
    if (!portion_add_node(arg, node)) {
        portion_clear(arg);
        need(portion_add_node(arg, node));
    }
}

static void on_edge(void *arg, const struct graph_edge_put *edge)
{
    need(edge->from.len > 0 && edge->to.len > 0 && edge->type.len > 0);
    need(wire_utf8(edge->type) && wire_utf8(edge->properties));
    if (!portion_add_edge(arg, edge)) {
        portion_clear(arg);
        need(portion_add_edge(arg, edge));
    }
}

static void on_fault(void *arg, uint64_t line, const struct schema_fault *fault)
{
    (void)arg;
    (void)line;
    need(fault->err != SH_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct portion portion;
    const struct graph_sink sink = {on_node, on_edge, on_fault, &portion};
    struct sh_buffer frame = {0};
    struct graph_reader *reader;
    enum sh_err err = SH_OK;

    if (size < 1 ||
        graph_reader_open((enum graph_format)(data[0] % 3), &sink, &reader) != SH_OK)
        return 0;
    size_t step = (size_t)data[0] / 3 + 1;
    for (size_t at = 1; at < size && err == SH_OK; at += step)
        err = graph_reader_feed(
            reader, (struct sh_bytes){data + at, size - at < step ? size - at : step});
    if (err == SH_OK)
        err = graph_reader_end(reader);
    need(err != SH_MALFORMED || *graph_reader_why(reader) != '\0');
    need(portion_is_empty(&portion) || portion_encode(&portion, &frame) == SH_OK);
    sh_buffer_free(&frame);
    portion_clear(&portion);
    graph_reader_close(&reader);
    return 0;
}
