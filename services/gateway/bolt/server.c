/* The listener: the sockets, limits, deadlines and TLS are those of HTTP. */
#include "services/gateway/bolt/conn.h"
#include "shared/log.h"

static const struct sh_stream_protocol protocol = {conn_open, conn_work, conn_closed};

static struct sh_http_server_options options_of(struct bolt *self, uint16_t port)
{
    const struct gateway *gateway = self->edge->gateway;
    const struct gateway_config *config = &gateway->config;
    const struct bolt_config *bolt = &gateway->bolt_config;
    const struct shell *shell = &gateway->shell;

    return (struct sh_http_server_options){
        .host =
            strcmp(config->api_host, "localhost") == 0 ? "127.0.0.1" : config->api_host,
        .port = port,
        .share_port = true,
        .limits = {.connections = bolt->connections,
                   .head_timeout_ms = bolt->login_timeout_ms,
                   .body_timeout_ms = config->http_body_timeout_ms,
                   .idle_timeout_ms = bolt->idle_timeout_ms,
                   .write_timeout_ms = config->http_write_timeout_ms,
                   .handshake_timeout_ms = shell->config->tls_handshake_timeout_ms,
                   .handshakes = shell->config->tls_handshakes,
                   .progress_bytes = shell->config->progress_bytes},
        .tls = shell->tls,
        .protocol = &protocol,
        .arg = self,
        .admit = crowd_admit,
        .left = crowd_left,
        .admit_arg = gateway->limits->crowd,
        .metrics_label = "bolt",
    };
}

/* A query counts as the same by HTTP does. */
static const struct route *find_route(const struct gateway *gateway)
{
    const struct route *found = NULL;

    for (size_t i = 0; i < gateway->route_count; i++) {
        const struct route *route = &gateway->routes[i];
        if (strcmp(route->operation, "graph_query") == 0)
            return route;
        if (route->permission == PERMIT_READ_GRAPH)
            found = route;
    }
    return found;
}

enum sh_err bolt_open(struct edge *edge, uint16_t port, struct bolt **out)
{
    struct bolt *self = sh_alloc(sizeof *self);

    *out = NULL;
    if (self == NULL)
        return SH_NOMEM;
    self->edge = edge;
    self->query_route = find_route(edge->gateway);
    const struct sh_http_server_options options = options_of(self, port);
    enum sh_err err = self->query_route != NULL
                          ? sh_http_server_create(edge->loop, &options, &self->server)
                          : SH_INTERNAL;
    if (err == SH_OK)
        *out = self;
    else
        sh_free(self);
    return err;
}

uint16_t bolt_port(const struct bolt *self)
{
    return sh_http_server_port(self->server);
}

void bolt_drain(struct bolt *self, void (*done)(void *arg), void *arg)
{
    sh_http_server_drain(self->server, done, arg);
}

void bolt_close(struct bolt **self_p)
{
    struct bolt *self = *self_p;

    if (self == NULL)
        return;
    *self_p = NULL;
    sh_http_server_close(&self->server); /* each connection is told before this returns */
    sh_buffer_free(&self->out);
    sh_free(self);
}
