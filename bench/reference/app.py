"""What Cairn is measured against: the stack that it replaces, as small and as quick as it can
be written. Flask, Redis and PostgreSQL's full-text search, run by gunicorn with 4 workers of 2
threads each (reference.py). It leaves out what the original did besides (metrics, an access
log, re-ranking, embeddings), and answers only what a search of its own would."""

import base64
import hashlib
import hmac
import json
import logging
import os
import secrets
import time

import redis
from flask import Flask, g, jsonify, request
from psycopg2.pool import ThreadedConnectionPool

SECRET = os.environ["JWT_SECRET_KEY"].encode()
TTL = int(os.environ.get("CACHE_TTL_SEARCH", "900"))
PER_MINUTE = int(os.environ.get("RATE_LIMIT_PER_MINUTE", "60"))
THREADS = 2
SEARCH = """
    SELECT id, title, section, body, ts_rank(words, query) AS score
    FROM reference.passages, CAST({} AS tsquery) query
    WHERE words @@ query AND clearance <= %s ORDER BY score DESC, id LIMIT %s"""
ALL = "plainto_tsquery('english', %s)"  # every word must be there
ANY = f"replace({ALL}::text, '&', '|')"

app = Flask(__name__)
audit = logging.getLogger("audit")
audit.setLevel(logging.INFO)
audit.addHandler(logging.FileHandler(os.environ["AUDIT_LOG"], delay=True))
audit.propagate = False
store = redis.Redis.from_url(os.environ["REDIS_URL"], max_connections=THREADS)
opened = {}


def pool():
    """The worker's own: connections do not survive a fork."""
    if os.getpid() not in opened:
        opened[os.getpid()] = ThreadedConnectionPool(THREADS, THREADS,
                                                     os.environ["DATABASE_URL"])
    return opened[os.getpid()]


def part(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def claims(header):
    """Of a bearer token signed by HS256; None when it is not good."""
    try:
        scheme, token = header.split(" ")
        signed, _, signature = token.rpartition(".")
        head, _, body = signed.partition(".")
        expected = hmac.new(SECRET, signed.encode(), hashlib.sha256).digest()
        if scheme != "Bearer" or json.loads(part(head)).get("alg") != "HS256":
            return None
        if not hmac.compare_digest(part(signature), expected):
            return None
        found = json.loads(part(body))
        return found if found["exp"] > time.time() else None
    except (ValueError, KeyError):
        return None


def admitted(user):
    """Requests of this minute, counted in Redis."""
    key = f"rate:{user}:{int(time.time() // 60)}"
    with store.pipeline(transaction=False) as pipe:
        count, _ = pipe.incr(key).expire(key, 120).execute()
    return count <= PER_MINUTE


@app.before_request
def before():
    g.start = time.time()
    g.request_id = secrets.token_urlsafe(16)
    g.user = claims(request.headers.get("Authorization", ""))
    if g.user is None:
        return jsonify(error="unauthorized"), 401
    if not admitted(g.user["sub"]):
        return jsonify(error="too many requests"), 429
    return None


def find(query, match, clearance, limit):
    connection = pool().getconn()
    try:
        with connection.cursor() as cursor:
            cursor.execute(SEARCH.format(ALL if match == "all" else ANY),
                           (query, clearance, limit))
            rows = cursor.fetchall()
        connection.rollback()
    finally:
        pool().putconn(connection)
    return [{"id": r[0], "title": r[1], "section": r[2], "content": r[3],
             "relevance_score": r[4]} for r in rows]


@app.post("/<match>/api/search")
def search(match):
    body = request.get_json()
    query, limit = body["query"], min(int(body.get("max_results", 10)), 50)
    clearance = int(g.user.get("clearance", 2))
    about = f"{query.strip().lower()}|{match}|{limit}|{clearance}".encode()
    key = "search:" + hashlib.sha256(about).hexdigest()
    cached = store.get(key)
    results = json.loads(cached) if cached else find(query, match, clearance, limit)
    if not cached:
        store.setex(key, TTL, json.dumps(results))
    audit.info(json.dumps({"user_id": g.user["sub"], "query": query[:100], "success": True,
                           "results_count": len(results)}))
    return jsonify(results=results, count=len(results), query=query,
                   from_cache=bool(cached), request_id=g.request_id,
                   response_time=time.time() - g.start)
