/* handlers: one per operation; routes/ says which path leads to which. Each answers the
 * exchange it is given, now or later. */
#ifndef GATEWAY_HANDLERS_H
#define GATEWAY_HANDLERS_H

#include "services/gateway/cache/flight.h"
#include "services/gateway/exchange.h"

/* search.c */
extern const struct schema search_schema;
route_fn search_post, search_get;
/* The query without white space around it; an empty view when nothing is left. */
struct sh_bytes search_trim(struct sh_bytes text);

/* search_answer.c: what the answer repeats is the exchange's state */
struct search_state {
    struct sh_bytes query;
    bool explain;
    bool highlight;
    struct flight_seat seat; /* while others wait for the same */
};
extern const char *const search_modes[]; /* by number; ended by NULL */
/* The answer but for what is new in each: what stands before that, and behind. */
void search_write_head(struct sh_buffer *out, const struct search_results *results,
                       const struct search_state *state);
void search_write_tail(struct sh_buffer *out, const struct search_results *results,
                       const struct search_state *state);
/* Answer with both, and with what is new. */
void search_answer_parts(struct exchange *x, const struct kept *kept, bool from_cache);
void search_answer(struct exchange *x, const struct search_results *results);

/* cache.c */
route_fn cache_clear_post;

/* document_body.c: a document as clients send it */
struct document_body {
    struct sh_bytes id, title, text, collection;
    bool has_text;
    struct schema_list sections; /* of struct section_body */
    json_t *metadata;            /* NULL when absent */
};
extern const struct schema document_schema;
/* What search takes; borrows from `body` and `arena`. False: `fault` says why. */
SH_CHECK bool document_fill(const struct document_body *body, bool no_wait,
                            struct sh_arena *arena, struct document_put *out,
                            struct schema_fault *fault);
/* Append the encoded DOCUMENT_PUT. False: `fault` says why. */
SH_CHECK bool document_encode(const struct document_body *body, bool no_wait,
                              struct sh_arena *arena, struct sh_buffer *out,
                              struct schema_fault *fault);
/* What is said beside a file: `out` borrows from both. False: `fault` says why. */
SH_CHECK bool document_of_file(const struct document_body *body, struct sh_arena *arena,
                               struct document *out, struct schema_fault *fault);
/* The members "document_id", "chunks" and what else a put tells; no braces. */
void document_put_members(struct sh_buffer *out, const struct document_put_reply *reply);

/* documents.c */
route_fn document_post, document_get, document_delete;
/* The members of a document but its sections; no braces. */
void document_head(struct sh_buffer *out, const struct document *document);
/* document_lists.c */
extern const struct schema browse_schema;
route_fn document_list, document_browse;
/* access.c, report.c, passages.c */
route_fn document_access, document_report, document_passages;
/* suggest.c */
route_fn suggest_get;
/* collections.c */
extern const struct schema collection_schema;
route_fn collection_all, collection_get, collection_put, collection_delete;
/* file.c */
route_fn document_file;
/* batch.c, job_fill.c: waited for, or as a job */
route_fn batch_post;
void job_fill_post(struct exchange *x);

/* jobs.c */
route_fn job_list, job_get, job_delete, job_retry, job_events;
void job_write(struct sh_buffer *out, const struct job *job);

/* embed.c, embed_openai.c */
extern const struct schema embed_schema, embeddings_schema, openai_embed_schema;
route_fn embed_post, embeddings_post, openai_embed_post;
/* model_pages.c */
extern const struct schema show_schema;
route_fn models_tags, models_show, models_version, openai_models, openai_model;

/* glossary.c, glossary_entry.c */
extern const struct schema glossary_schema;
route_fn glossary_list_get, glossary_post, glossary_get, glossary_put_one,
    glossary_delete;
/* glossary_import.c, glossary_export.c */
route_fn glossary_import_post, glossary_export_get;
/* glossary_candidates.c */
extern const struct schema glossary_extract_schema, glossary_draft_schema,
    glossary_ids_schema;
route_fn glossary_extract_post, glossary_candidates_get, glossary_candidate_accept,
    glossary_candidate_reject, glossary_candidate_reopen, glossary_candidates_accept,
    glossary_candidates_reject, glossary_candidates_reopen;
/* glossary_lookup.c */
extern const struct schema glossary_lookup_schema;
route_fn glossary_lookup_post;
/* glossary_relations.c */
extern const struct schema glossary_relation_schema;
route_fn glossary_relations_get, glossary_relations_post, glossary_relations_delete;

/* graph.c, graph_read.c, graph_paths.c, graph_analysis.c, graph_similar.c, graph_search.c
 */
extern const struct schema graph_analysis_schema;
route_fn graph_analysis_post, graph_similar_get;
route_fn graph_schema, graph_labels, graph_label_get, graph_node_get,
    graph_neighbours_get, graph_path_get, graph_paths_get, graph_subgraph_get,
    graph_search_get;
/* graph_query.c */
extern const struct schema graph_query_schema;
route_fn graph_query_post;
/* graph_body.c, graph_change.c */
extern const struct schema graph_node_schema, graph_edge_schema, graph_merge_schema;
route_fn graph_node_post, graph_node_put, graph_node_delete, graph_merge_post,
    graph_edge_post, graph_edge_get, graph_edge_put, graph_edge_delete;
/* backups.c, backup_runs.c */
extern const struct schema backup_create_schema, backup_restore_schema,
    backup_prune_schema, backup_undo_schema;
route_fn backup_list, backup_post, backup_get, backup_delete, backup_verify_post,
    backup_drill_post, backup_copy_post, backup_restore_post, backup_prune_post,
    backup_undo_post, backup_schedule_get, backup_run_list, backup_run_get,
    backup_run_events, backup_run_delete;
/* maintenance.c */
extern const struct schema maintenance_schema;
route_fn maintenance_get, maintenance_post, maintenance_delete;
/* graph_import.c, graph_export.c */
route_fn graph_import_post, graph_export_get;

/* generations.c */
extern const struct schema reindex_schema, compare_schema;
route_fn reindex_post, generation_list, generation_compare_post, generation_activate_post,
    generation_rollback_post, generation_delete;

/* login.c, password.c */
extern const struct schema login_schema, password_schema;
route_fn login_post, logout_post, me_get, refresh_post, password_post;

/* users.c */
extern const struct schema user_new_schema, user_change_schema;
route_fn user_list, user_get, user_post, user_put, user_delete;

/* roles.c */
route_fn role_list;

/* keys.c */
extern const struct schema key_schema;
route_fn key_list, key_post, key_get, key_delete;

/* audit.c */
route_fn audit_list;
/* errors.c */
route_fn errors_stats;

/* docs.c */
route_fn docs_openapi, docs_page;

/* health.c */
route_fn health_union, health_detailed, health_metrics, health_ready, health_live;
route_fn health_ping, health_ping_service, metrics_text;

/* stats.c, stats_history.c */
route_fn admin_stats, admin_history;

#endif
