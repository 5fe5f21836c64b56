"""The reference app, running beside a stack: in its PostgreSQL and Redis, over the same
passages."""

import os
import pathlib
import subprocess

from nginx import free_port
from stack import eventually

HERE = pathlib.Path(__file__).resolve().parent
TABLE = """
    CREATE SCHEMA reference;
    CREATE TABLE reference.passages AS
        SELECT c.id, d.title, c.section_title AS section, c.text AS body,
               d.clearance_level AS clearance,
               setweight(to_tsvector('english', d.title), 'A') ||
               setweight(to_tsvector('english', c.section_title), 'B') ||
               to_tsvector('english', c.text) AS words
        FROM chunks c JOIN documents d ON d.id = c.document_id ORDER BY c.id LIMIT {rows};
    ALTER TABLE reference.passages ADD PRIMARY KEY (id);
    CREATE INDEX ON reference.passages USING gin (words);
    ANALYZE reference.passages;"""


class Reference:
    def __init__(self, stack, secret, rows):
        stack.psql(TABLE.format(rows=rows))
        self.rows = int(stack.psql("SELECT count(*) FROM reference.passages"))
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.log = pathlib.Path(stack.dir, "log", "reference.log")
        environment = {**os.environ, "JWT_SECRET_KEY": secret,
                       "DATABASE_URL": stack.env["DATABASE_URL"],
                       "REDIS_URL": stack.env["REDIS_URL"].rsplit("/", 1)[0] + "/1",
                       "RATE_LIMIT_PER_MINUTE": "1000000000",
                       "AUDIT_LOG": str(pathlib.Path(stack.dir, "log", "reference-audit.log"))}
        with self.log.open("w") as out:
            self.process = subprocess.Popen(
                ["/usr/bin/gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "4",
                 "--worker-class", "gthread", "--threads", "2", "--timeout", "60",
                 "--keep-alive", "10", "--preload", "--worker-tmp-dir", "/dev/shm",
                 "app:app"], cwd=HERE, env=environment, stdout=out, stderr=out)
        eventually(lambda: self.answers(stack), seconds=60, what=self.log.read_text)

    def answers(self, stack):
        try:
            return stack.get("/", base=self.url).status == 401
        except OSError:
            return False

    def stop(self):
        self.process.terminate()
        self.process.wait()
