"""For each alert: series under which it fires, one case or more, and last series, near them,
under which it does not.

A case is (minutes, {series: values}); values as promtool writes them: "0+60x20" begins at 0 and
grows by 60 a minute, 20 times.
"""

DAY = 24 * 60
GATEWAY = 'job="cairn-gateway",instance="g:9100"'
SEARCH = 'job="cairn-search",instance="s:9101"'
GRAPH = 'job="cairn-graph",instance="k:9103"'
BACKUP = 'job="cairn-backup",instance="b:9104"'


def requests(status, per_minute):
    return {f'http_requests_total{{{GATEWAY},method="GET",endpoint="x",status="{status}"}}':
            f"0+{per_minute}x60"}


def durations(slow, fast):
    """Requests a minute that took between 2.5 s and 5 s, and such below 1 s."""
    name = "vector_search_request_duration_seconds_bucket"
    return {f'{name}{{{GATEWAY},le="{le}"}}': f"0+{count}x60" for le, count in
            (("1", fast), ("2.5", fast), ("5", fast + slow), ("+Inf", fast + slow))}


def cache(hits, misses):
    return {f'cache_operations_total{{{GATEWAY},operation="{what}",status="success"}}':
            f"0+{count}x60" for what, count in (("hit", hits), ("miss", misses)) if count}


def degraded(count):
    return {f'cairn_search_degraded_total{{{SEARCH},reason="embedding"}}': f"0+{count}x60",
            f'cairn_search_queries_total{{{SEARCH},mode="hybrid",status="ok"}}': "0+100x60"}


def recall(mean):
    return {f'cairn_search_recall_ratio_sum{{{SEARCH}}}': f"0+{mean * 10:g}x120",
            f'cairn_search_recall_ratio_count{{{SEARCH}}}': "0+10x120"}


def loop_lag(late):
    name = "cairn_search_event_loop_lag_seconds_bucket"
    return {f'{name}{{{SEARCH},le="{le}"}}': f"0+{count}x60" for le, count in
            (("0.25", 100 - late), ("0.5", 100), ("+Inf", 100))}


def statements(good, bad):
    return {f'cairn_pg_queries_total{{{SEARCH},statement="x",status="{status}"}}':
            f"0+{count}x60" for status, count in (("ok", good), ("deadline_exceeded", bad))}


def keyspace(hits, misses):
    return {'redis_keyspace_hits_total{job="redis"}': f"0+{hits}x60",
            'redis_keyspace_misses_total{job="redis"}': f"0+{misses}x60"}


def ratio(part, whole, name, of, labels):
    return {f"{name}{{{labels}}}": f"{part}x60", f"{of}{{{labels}}}": f"{whole}x60"}


def gauge(series, value, samples=60):
    return {series: f"{value}x{samples}"}


def check(name, value, required="false", job="cairn-search"):
    return gauge(f'cairn_health_check{{job="{job}",instance="a",check="{name}",'
                 f'required="{required}"}}', value)


def since(name, age_minutes, at, labels=""):
    """A time in Unix seconds that was so long ago, `at` minutes after the test began."""
    return gauge(f"{name}{{{labels}}}", (at - age_minutes) * 60, at + 2)


VOLUME = 'persistentvolumeclaim="cairn-files",namespace="cairn"'
POD = 'pod="cairn-search-1",container="search",namespace="cairn"'
UP = "up{" + GATEWAY + "}"
BUILD = 'cairn_build_info{job="cairn-search",instance="%s",service="search",version="%s"}'

# alert: (fires, stays silent)
CASES = {
    "ApiDown": ((3, gauge(UP, 0)), (3, gauge(UP, 1))),
    "HighResponseTime": ((10, durations(10, 90)), (10, durations(1, 99))),
    "HighErrorRate": ((12, requests(200, 90) | requests(503, 10)),
                      (12, requests(200, 98) | requests(503, 2))),
    "LoadShed": ((12, gauge(f'cairn_gateway_shed_total{{{GATEWAY},reason="in_flight"}}', "0+60")),
                 (12, gauge(f'cairn_gateway_shed_total{{{GATEWAY},reason="in_flight"}}', 60))),
    "CacheHitRateDecline": ((12, cache(0, 120)), (12, cache(100, 90))),
    "DiskSpaceLow": ((7, gauge(f"cairn_gateway_disk_free_ratio{{{GATEWAY}}}", 0.09)),
                     (7, gauge(f"cairn_gateway_disk_free_ratio{{{GATEWAY}}}", 0.11))),
    "MemoryHigh": ((7, gauge(f"cairn_gateway_memory_used_ratio{{{GATEWAY}}}", 0.91)),
                   (7, gauge(f"cairn_gateway_memory_used_ratio{{{GATEWAY}}}", 0.89))),
    "RateLimitsLocal": ((7, gauge(f'ratelimit_mode{{{GATEWAY},mode="local"}}', 1)),
                        (7, gauge(f'ratelimit_mode{{{GATEWAY},mode="local"}}', 0))),
    "ReplicaDown": ((4, gauge(f"up{{{SEARCH}}}", 0)), (4, gauge(f"up{{{SEARCH}}}", 1))),
    "NoLiveWorker": (
        (3, gauge(f'cairn_rpc_client_replicas{{{GATEWAY},service="search",state="ready"}}', 0)),
        (3, gauge(f'cairn_rpc_client_replicas{{{GATEWAY},service="search",state="ready"}}', 1))),
    "CheckFailing": ((4, check("index", 0, "true")), (4, check("index", 1, "true"))),
    "CheckDegraded": ((17, check("backups", 0.5, job="cairn-backup")),
                      (17, check("backups", 1, job="cairn-backup"))),
    "QueueLong": ((4, gauge(f'cairn_workers_queue_depth{{{SEARCH},pool="search"}}', 101)),
                  (4, gauge(f'cairn_workers_queue_depth{{{SEARCH},pool="search"}}', 99))),
    "EmbedderQueueLong": ((4, gauge('cairn_embedder_queue_depth{job="cairn-embedder"}', 5000)),
                          (4, gauge('cairn_embedder_queue_depth{job="cairn-embedder"}', 4000))),
    "EventLoopBlocked": ((12, loop_lag(5)), (12, loop_lag(0))),
    "FileDescriptorsHigh": (
        (7, ratio(900, 1000, "process_open_fds", "process_max_fds", SEARCH)),
        (7, ratio(700, 1000, "process_open_fds", "process_max_fds", SEARCH))),
    "ApplicationErrors": (
        (12, gauge(f'cairn_errors_total{{{SEARCH},level="ERROR",type="log"}}', "0+60")),
        (12, gauge(f'cairn_errors_total{{{SEARCH},level="WARNING",type="log"}}', "0+60"))),
    "ViewLag": ((4, gauge(f"cairn_search_view_lag_seconds{{{SEARCH}}}", 31)),
                (4, gauge(f"cairn_graph_view_lag_seconds{{{GRAPH}}}", 31)),
                (4, gauge(f"cairn_search_view_lag_seconds{{{SEARCH}}}", 29)
                 | gauge(f"cairn_graph_view_lag_seconds{{{GRAPH}}}", 29))),
    "RecallDrop": ((100, recall(0.8)), (100, recall(0.92))),
    "DegradedSearches": ((12, degraded(10)), (12, degraded(2))),
    "EmbeddingsPending": ((32, gauge(f"cairn_search_pending_embeddings{{{SEARCH}}}", 1001)),
                          (32, gauge(f"cairn_search_pending_embeddings{{{SEARCH}}}", 999))),
    "SnapshotsFail": (
        (10, gauge(f'cairn_search_snapshot_saves_total{{{SEARCH},status="failed"}}', "0+1")),
        (10, gauge(f'cairn_search_snapshot_saves_total{{{SEARCH},status="ok"}}', "0+1"))),
    "DatabaseConnectionFailures": ((3, check("database", 0)), (3, check("database", 1))),
    "DatabaseErrors": ((12, statements(90, 10)), (12, statements(99, 1))),
    "DatabaseConnectionPoolExhaustion": (
        (3, ratio(18, 20, "vector_search_active_connections", "cairn_pg_pool_size", SEARCH)),
        (3, ratio(17, 20, "vector_search_active_connections", "cairn_pg_pool_size", SEARCH))),
    "DatabaseQueue": ((4, gauge(f"cairn_pg_queue_depth{{{SEARCH}}}", 51)),
                      (4, gauge(f"cairn_pg_queue_depth{{{SEARCH}}}", 49))),
    "CacheDown": ((4, check("cache", 0)), (4, check("cache", 1))),
    "PostgresDown": ((3, gauge('pg_up{job="postgres"}', 0)),
                     (3, gauge('pg_up{job="postgres"}', 1))),
    "PostgresConnectionsHigh": (
        (7, gauge('pg_stat_activity_count{instance="p",state="idle"}', 81)
         | gauge('pg_settings_max_connections{instance="p"}', 100)),
        (7, gauge('pg_stat_activity_count{instance="p",state="idle"}', 79)
         | gauge('pg_settings_max_connections{instance="p"}', 100))),
    "PostgresDeadlocks": (
        (16, gauge('pg_stat_database_deadlocks{instance="p",datname="cairn"}', "0+1")),
        (16, gauge('pg_stat_database_deadlocks{instance="p",datname="cairn"}', 7))),
    "RedisDown": ((3, gauge('redis_up{job="redis"}', 0)), (3, gauge('redis_up{job="redis"}', 1))),
    "RedisMemoryHigh": (
        (12, ratio(95, 100, "redis_memory_used_bytes", "redis_memory_max_bytes", 'job="redis"')),
        (12, ratio(95, 0, "redis_memory_used_bytes", "redis_memory_max_bytes", 'job="redis"'))),
    "RedisHitRateDecline": ((12, keyspace(600, 1200)), (12, keyspace(1200, 600))),
    "BackupFailed": (
        (10, gauge(f'cairn_backup_runs_total{{{BACKUP},run="create",state="failed"}}',
                   "_x5 1")),  # the series appears with the first failure
        (100, gauge(f'cairn_backup_runs_total{{{BACKUP},run="create",state="failed"}}', 1, 120))),
    "BackupLate": (
        (2 * DAY, since("cairn_backup_last_success_timestamp_seconds", 27 * 60, 2 * DAY,
                        BACKUP + ',kind="full"')),
        (2 * DAY, since("cairn_backup_last_success_timestamp_seconds", 25 * 60, 2 * DAY,
                        BACKUP + ',kind="full"'))),
    "BackupMissing": (
        (27 * 60, gauge(UP, 1, 27 * 60)),
        (27 * 60, gauge(f'cairn_backup_last_success_timestamp_seconds{{{BACKUP},kind="full"}}',
                        1, 27 * 60))),
    "BackupUnproven": (
        (10 * DAY, since("cairn_backup_last_verified_restore_timestamp_seconds", 9 * DAY,
                         10 * DAY, BACKUP)),
        (10 * DAY, since("cairn_backup_last_verified_restore_timestamp_seconds", 7 * DAY,
                         10 * DAY, BACKUP))),
    "WalNotStored": (
        (60, since("cairn_backup_wal_recovery_point_timestamp_seconds", 17, 60, BACKUP)),
        (60, since("cairn_backup_wal_recovery_point_timestamp_seconds", 9, 60, BACKUP))),
    "WalGap": ((7, gauge(f"cairn_backup_wal_missing_segments{{{BACKUP}}}", 1)),
               (7, gauge(f"cairn_backup_wal_missing_segments{{{BACKUP}}}", 0))),
    "WalSlotLag": ((12, gauge(f"cairn_backup_wal_slot_lag_bytes{{{BACKUP}}}", "2e9")),
                   (12, gauge(f"cairn_backup_wal_slot_lag_bytes{{{BACKUP}}}", "5e8"))),
    "BackupSetsUnreadable": (
        (17, gauge(f'cairn_backup_sets{{{BACKUP},state="unreadable"}}', 1)),
        (17, gauge(f'cairn_backup_sets{{{BACKUP},state="unreadable"}}', 0))),
    "LoginFailureSurge": (
        (12, gauge(f'auth_login_failures_total{{{GATEWAY},reason="wrong"}}', "0+90")),
        (12, gauge(f'auth_login_failures_total{{{GATEWAY},reason="wrong"}}', "0+30"))),
    "AccountLockout": ((20, gauge(f"auth_lockouts_total{{{GATEWAY}}}", "0+1")),
                       (20, gauge(f"auth_lockouts_total{{{GATEWAY}}}", 9))),
    "RefusedRequestsSurge": ((12, requests(200, 100) | requests(401, 100)),
                             (12, requests(200, 400) | requests(401, 100))),
    "PeersRefused": (
        (12, gauge(f'cairn_rpc_refused_peers_total{{{SEARCH},reason="unknown_key"}}', "0+1")),
        (12, gauge(f'cairn_rpc_refused_peers_total{{{SEARCH},reason="unknown_key"}}', 9))),
    "AuditRecordsLost": ((12, gauge(f"cairn_gateway_audit_lost_total{{{GATEWAY}}}", "0+1")),
                         (12, gauge(f"cairn_gateway_audit_lost_total{{{GATEWAY}}}", 0))),
    "AuditBacklog": ((12, gauge(f"cairn_gateway_audit_waiting_bytes{{{GATEWAY}}}", "2e8")),
                     (12, gauge(f"cairn_gateway_audit_waiting_bytes{{{GATEWAY}}}", "5e7"))),
    "CertificateExpiry": (
        (10, since("cairn_gateway_tls_certificate_expires_timestamp_seconds", -13 * DAY, 10,
                   GATEWAY)),
        (10, since("cairn_gateway_tls_certificate_expires_timestamp_seconds", -15 * DAY, 10,
                   GATEWAY))),
    "NewDeployment": ((30, gauge(BUILD % ("a", "1.0"), 1)
                       | gauge(BUILD % ("b", "1.1"), "_x20 1")),
                      (30, gauge(BUILD % ("a", "1.0"), 1) | gauge(BUILD % ("b", "1.0"), "_x20 1"))),
    "MixedVersions": ((32, gauge(BUILD % ("a", "1.0"), 1) | gauge(BUILD % ("b", "1.1"), 1)),
                      (32, gauge(BUILD % ("a", "1.0"), 1) | gauge(BUILD % ("b", "1.0"), 1))),
    "ServiceRestarted": ((10, since("process_start_time_seconds", 4, 10, SEARCH)),
                         (10, since("process_start_time_seconds", 6, 10, SEARCH))),
    "ScheduledMaintenance": (
        (10, since("cairn_backup_next_timestamp_seconds", -10, 10, BACKUP)),
        (10, since("cairn_backup_next_timestamp_seconds", -20, 10, BACKUP))),
    "UnusualTraffic": (
        (26 * 60, {f'http_requests_total{{{GATEWAY},status="200"}}':
                   f"0+60x{25 * 60 + 30} {(25 * 60 + 30) * 60}+3000x60"}),
        (26 * 60, {f'http_requests_total{{{GATEWAY},status="200"}}': f"0+3000x{27 * 60}"})),
    "VolumeSpaceLow": (
        (7, ratio(9, 100, "kubelet_volume_stats_available_bytes",
                  "kubelet_volume_stats_capacity_bytes", VOLUME)),
        (7, ratio(11, 100, "kubelet_volume_stats_available_bytes",
                  "kubelet_volume_stats_capacity_bytes", VOLUME))),
    "ContainerMemoryHigh": (
        (7, ratio(95, 100, "container_memory_working_set_bytes",
                  "container_spec_memory_limit_bytes", POD)),
        (7, ratio(95, 0, "container_memory_working_set_bytes",
                  "container_spec_memory_limit_bytes", POD))),
    "ContainerCpuThrottled": (
        (25, ratio("0+40", "0+100", "container_cpu_cfs_throttled_periods_total",
                   "container_cpu_cfs_periods_total", POD)),
        (25, ratio("0+10", "0+100", "container_cpu_cfs_throttled_periods_total",
                   "container_cpu_cfs_periods_total", POD))),
}
