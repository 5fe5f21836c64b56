/* Routes: backups. */
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/routes/tables.h"

static const struct route routes[] = {
    {ROUTE_GET, 200, "/api/backups", "list_backups", backup_list, NULL, PERMIT_BACKUPS, 0,
     "Backups", "Backup sets, newest first", NULL, "Backups"},
};

const struct route_table routes_of_backups = {routes, SH_COUNT(routes)};
