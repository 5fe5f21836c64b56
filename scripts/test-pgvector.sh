#!/bin/sh
# test-pgvector.sh BIN PYTEST…: the tests of SEARCH_BACKEND=pgvector and those that both
# backends share, with the programs in BIN. PGVECTOR_DATABASE_URL names a database of a
# PostgreSQL with pgvector >= 0.8 (for instance Debian trixie's postgresql-17-pgvector) whose
# user may create databases; each stack makes one and drops it. Without it all is skipped.
set -eu

CAIRN_BIN=$1
shift
if [ -z "${PGVECTOR_DATABASE_URL:-}" ]; then
    echo "skipped: the pgvector backend's tests (PGVECTOR_DATABASE_URL is not set)"
    exit 0
fi
export CAIRN_BIN PGVECTOR_DATABASE_URL
"$@" tests/system/test_pgvector.py
for scan_max in 5000 0; do
    echo "shared tests on pgvector, PGVECTOR_SCAN_MAX=$scan_max"
    SEARCH_BACKEND=pgvector PGVECTOR_SCAN_MAX=$scan_max \
        "$@" tests/system/test_search.py tests/system/test_documents.py
done
