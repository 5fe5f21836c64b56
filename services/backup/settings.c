#include "services/backup/settings.h"

SH_SETTINGS_DEFINE(backup, "Backups", BACKUP_SETTINGS)

void backup_groups(struct backup_all *all, struct sh_settings groups[BACKUP_GROUPS])
{
    groups[0] = backup_settings(&all->backup);
    groups[1] = sh_pg_settings(&all->pg);
    groups[2] = sh_file_settings(&all->files);
    groups[3] = sh_s3_settings(&all->s3);
}
