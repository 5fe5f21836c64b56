#include "services/gateway/edge.h"

#include "services/gateway/auth/auth.h"
#include "services/gateway/bodies.h"
#include "services/gateway/bolt/bolt.h"
#include "services/gateway/cache/flight.h"
#include "services/gateway/exchange.h"
#include "shared/log.h"

enum { HASHES_MAX = 64 }; /* that wait for their turn on one loop */

const char *peer_name(enum peer peer)
{
    static const char *const names[PEER_COUNT] = {"search", "embedder", "graph",
                                                  "backup"};
    return names[peer];
}

static const char *endpoints(const struct gateway_config *config, enum peer peer)
{
    const char *const all[PEER_COUNT] = {
        config->search_endpoints, config->embedder_endpoints, config->graph_endpoints,
        config->backup_endpoints};
    return all[peer];
}

static enum sh_err open_peers(struct edge *edge)
{
    enum sh_err err = SH_OK;

    for (int p = 0; p < PEER_COUNT && err == SH_OK; p++) {
        enum peer peer = (enum peer)p;
        struct sh_rpc_client_options options = {
            .service = peer_name(peer),
            .endpoints = endpoints(&edge->gateway->config, peer)};
        err = sh_rpc_client_create(edge->zmq, &options, &edge->peers[peer]);
        if (err == SH_INVALID)
            sh_error(NULL, "the endpoints of %s are not valid: %s", options.service,
                     options.endpoints);
    }
    return err;
}

static uint32_t share(uint32_t of_all, unsigned loops)
{
    uint32_t share = loops > 1 ? of_all / loops : of_all;
    return share > 0 ? share : 1;
}

/* Every loop has its part of the pool: DB_POOL_* are figures of the process. */
static enum sh_err open_stores(struct edge *edge, bool first)
{
    const struct gateway *gateway = edge->gateway;
    struct sh_pg_config pg = gateway->pg_config;

    pg.pool_min = share(pg.pool_min, gateway->loops);
    pg.pool_max = share(pg.pool_max, gateway->loops);
    enum sh_err err = sh_redis_create(edge->loop, &gateway->redis_config,
                                      first ? gateway->cache : NULL, &edge->redis);
    if (err == SH_OK)
        err = sh_pg_create(edge->loop, &pg, first ? gateway->database : NULL, &edge->pg);
    if (err == SH_OK && gateway->file_config.store != NULL)
        err = sh_file_store_open(edge->loop, &gateway->file_config, &gateway->s3_config,
                                 &edge->files);
    if (err == SH_OK)
        err = sh_workers_create(edge->loop, "hash", 1, HASHES_MAX, &edge->workers);
    if (err == SH_OK && gateway->answers != NULL)
        err = flights_open(edge, gateway->answers, first, &edge->flights);
    return err;
}

static struct sh_http_server_options server_options(struct edge *edge)
{
    const struct gateway_config *config = &edge->gateway->config;
    const struct shell *shell = &edge->gateway->shell;

    return (struct sh_http_server_options){
        .host =
            strcmp(config->api_host, "localhost") == 0 ? "127.0.0.1" : config->api_host,
        .port = (uint16_t)config->api_port,
        .share_port = true,
        .limits = {.head_bytes = config->http_head_bytes,
                   .connections = config->http_connections,
                   .head_timeout_ms = config->http_head_timeout_ms,
                   .body_timeout_ms = config->http_body_timeout_ms,
                   .idle_timeout_ms = config->http_idle_timeout_ms,
                   .write_timeout_ms = config->http_write_timeout_ms,
                   .handshake_timeout_ms = shell->config->tls_handshake_timeout_ms,
                   .handshakes = shell->config->tls_handshakes,
                   .progress_bytes = shell->config->progress_bytes},
        .fixed = shell_fixed(shell),
        .admit = crowd_admit,
        .left = crowd_left,
        .admit_arg = edge->gateway->limits->crowd,
    };
}

static enum sh_err open_server(struct edge *edge, const struct edge *first)
{
    const struct shell *shell = &edge->gateway->shell;
    struct sh_http_server_options options = server_options(edge);

    options.tls = shell->tls;
    if (shell->config->compression)
        options.pack_least = shell->config->compression_least;
    options.handler = exchange_begin;
    options.arg = edge;
    options.metrics_label = "public";
    if (shell->config->tls_port != 0)
        options.port = (uint16_t)shell->config->tls_port;
    if (first != NULL)
        options.port = sh_http_server_port(first->server);
    return sh_http_server_create(edge->loop, &options, &edge->server);
}

/* API_PORT, while TLS has a port of its own. */
static enum sh_err open_plain(struct edge *edge, const struct edge *first)
{
    struct shell *shell = &edge->gateway->shell;
    struct sh_http_server_options options = server_options(edge);

    if (shell->config->tls_port == 0)
        return SH_OK;
    options.handler = shell_redirect;
    options.arg = shell;
    options.metrics_label = "redirect";
    if (first != NULL)
        options.port = sh_http_server_port(first->plain);
    return sh_http_server_create(edge->loop, &options, &edge->plain);
}

static enum sh_err open_bolt(struct edge *edge, const struct edge *first)
{
    const struct gateway *gateway = edge->gateway;
    uint16_t port = (uint16_t)gateway->bolt_config.port;

    if (port == 0)
        return SH_OK;
    if (bolt_takes_any(&gateway->bolt_config, gateway->config.api_port))
        port = 0;
    return bolt_open(edge, first != NULL ? bolt_port(first->bolt) : port, &edge->bolt);
}

enum sh_err edge_open(struct edge *edge, struct gateway *gateway, uv_loop_t *loop,
                      struct sh_zmq_loop *zmq, const struct edge *first)
{
    enum sh_err err = SH_NOMEM;

    *edge = (struct edge){.gateway = gateway, .loop = loop, .zmq = zmq};
    edge->bodies = bodies_create(); /* can do without */
    edge->meters = meters_create(edge, gateway->routes, gateway->route_count);
    if (edge->meters != NULL)
        err = open_peers(edge);
    if (err == SH_OK)
        err = open_stores(edge, first == NULL);
    if (err == SH_OK)
        err = auth_edge_open(edge, &edge->auth);
    if (err == SH_OK)
        err = limits_edge_open(edge, first == NULL);
    if (err == SH_OK)
        err = open_server(edge, first);
    if (err == SH_OK)
        err = open_plain(edge, first);
    if (err == SH_OK)
        err = open_bolt(edge, first);
    if (err != SH_OK)
        edge_close(edge);
    return err;
}

void edge_on_change(struct edge *edge, void (*changed)(void *arg), void *arg)
{
    sh_rpc_client_on_change(edge->peers[PEER_SEARCH], changed, arg);
}

bool edge_ready(const struct edge *edge)
{
    return sh_rpc_client_ready(edge->peers[PEER_SEARCH]) > 0;
}

void edge_close(struct edge *edge)
{
    if (edge->server != NULL)
        sh_http_server_close(&edge->server);
    if (edge->plain != NULL)
        sh_http_server_close(&edge->plain);
    bolt_close(&edge->bolt);
    for (int p = 0; p < PEER_COUNT; p++)
        if (edge->peers[p] != NULL)
            sh_rpc_client_close(&edge->peers[p]);
    sh_file_store_close(&edge->files); /* after the uploads that search was asked for */
    sh_workers_close(&edge->workers);
    if (edge->pg != NULL)
        sh_pg_close(&edge->pg);
    auth_edge_close(&edge->auth); /* after all who wait for something */
    if (edge->redis != NULL)
        sh_redis_close(&edge->redis);
    flights_close(&edge->flights);
    limits_edge_close(edge);
    exchange_free_spare(edge);
    bodies_free(&edge->bodies);
    sh_free(edge->meters);
    edge->meters = NULL;
    sh_buffer_free(&edge->out);
    sh_buffer_free(&edge->frame);
}
