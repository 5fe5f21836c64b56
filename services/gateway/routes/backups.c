/* Routes: backups. */
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/routes/tables.h"

#define ROUTE(method, status, path, name, handler, body, help, answer)                   \
    {                                                                                    \
        ROUTE_##method, status, path, name, handler, body, PERMIT_BACKUPS, 0, "Backups", \
            help, NULL, answer                                                           \
    }

static const struct route_param restore_params[] = {
    {"until", "string",
     "of a physical set: latest, set, a position in the log (16/B374D848) or a time (RFC "
     "3339); where it is absent, latest, and of a drill set"},
    {NULL, NULL, NULL},
};

/* clang-format off */
static const struct route routes[] = {
    ROUTE(GET, 200, "/api/backups", "list_backups", backup_list, NULL,
          "Backup sets, newest first", "Backups"),
    ROUTE(POST, 202, "/api/backups", "make_backup", backup_post, &backup_create_schema,
          "Make a backup set: a run", "BackupRun"),
    ROUTE(GET, 200, "/api/backups/schedule", "show_backup_schedule", backup_schedule_get,
          NULL, "When full sets are due, what is kept, what can be undone", "BackupSchedule"),
    ROUTE(POST, 202, "/api/backups/prune", "prune_backups", backup_prune_post,
          &backup_prune_schema, "Remove what no rule keeps: a run", "BackupRun"),
    ROUTE(POST, 202, "/api/backups/undo", "undo_restore", backup_undo_post,
          &backup_undo_schema,
          "Go back to before the last restore, or redo it: a run", "BackupRun"),
    ROUTE(GET, 200, "/api/backups/runs", "list_backup_runs", backup_run_list, NULL,
          "Runs, newest first", "BackupRuns"),
    ROUTE(GET, 200, "/api/backups/runs/{run}", "get_backup_run", backup_run_get, NULL,
          "How far a run is, and what became of it", "BackupRun"),
    ROUTE(GET, 200, "/api/backups/runs/{run}/events", "watch_backup_run",
          backup_run_events, NULL, "A run's progress as server-sent events",
          "text/event-stream"),
    ROUTE(DELETE, 200, "/api/backups/runs/{run}", "cancel_backup_run", backup_run_delete,
          NULL, "Cancel a run; it leaves nothing that looks like a backup", "BackupRun"),
    ROUTE(GET, 200, "/api/admin/maintenance", "get_maintenance", maintenance_get, NULL,
          "Whether what would change something is refused, and until when", "Maintenance"),
    ROUTE(POST, 200, "/api/admin/maintenance", "enter_maintenance", maintenance_post,
          &maintenance_schema, "Refuse what would change something, for a time",
          "Maintenance"),
    ROUTE(DELETE, 200, "/api/admin/maintenance", "leave_maintenance", maintenance_delete,
          NULL, "Maintenance by hand is over", "Maintenance"),
    ROUTE(GET, 200, "/api/backups/{id}", "get_backup", backup_get, NULL,
          "The manifest of a set", "Backup"),
    ROUTE(DELETE, 202, "/api/backups/{id}", "delete_backup", backup_delete, NULL,
          "Remove a set, unless it is the last verified one: a run", "BackupRun"),
    ROUTE(POST, 202, "/api/backups/{id}/verify", "verify_backup", backup_verify_post, NULL,
          "Read all of a set again: a run", "BackupRun"),
    ROUTE(POST, 202, "/api/backups/{id}/drill", "drill_backup", backup_drill_post, NULL,
          "Restore a set into a PostgreSQL of its own and compare: a run", "BackupRun"),
    ROUTE(POST, 202, "/api/backups/{id}/copy", "copy_backup", backup_copy_post, NULL,
          "Copy a set to the other places: a run", "BackupRun"),
    {ROUTE_POST, 202, "/api/backups/{id}/restore", "restore_backup", backup_restore_post,
     &backup_restore_schema, PERMIT_BACKUPS, 0, "Backups", "Restore a set: a run",
     restore_params, "BackupRun"},
};
/* clang-format on */

const struct route_table routes_of_backups = {routes, SH_COUNT(routes)};
