"""A row that somebody else is changing."""

import subprocess


class Held:
    """Locked for as long as the block lasts."""

    def __init__(self, stack, table, ident):
        self.url, self.table, self.ident = stack.env["DATABASE_URL"], table, ident

    def __enter__(self):
        self.psql = subprocess.Popen(["psql", "-XAtq", self.url], text=True,
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.psql.stdin.write(f"BEGIN; SELECT id FROM {self.table} WHERE "
                              f"id = '{self.ident}' FOR UPDATE;\n")
        self.psql.stdin.flush()
        assert self.psql.stdout.readline().strip() == self.ident

    def __exit__(self, *_):
        self.psql.stdin.write("COMMIT;\n")
        self.psql.communicate(timeout=60)
