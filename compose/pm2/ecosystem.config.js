// PM2 as the supervisor: `pm2 start ecosystem.config.js`. Settings come from the environment
// of the daemon, or from files named by NAME_FILE; docs/configuration.md has all of them.
module.exports = {
  apps: ["embedder", "search", "graph", "backup", "gateway"].map((name) => ({
    name: `cairn-${name}`,
    script: `/usr/local/bin/cairn-${name}`,
    interpreter: "none",
    autorestart: true,
    restart_delay: 5000,
    kill_timeout: 45000, // longer than SHUTDOWN_GRACE_SECONDS
    merge_logs: true,
    env: { ENVIRONMENT: "production" },
  })),
};
