"""POST and GET /api/search, as design'd in docs/api.md."""

import pytest
from conftest import ADMIN, STAFF, eventually

SEED_REQUEST = {
    "query": "password reset instructions for staff",
    "user": STAFF,
    "filters": {"department": "IT Services", "min_priority": 3},
    "config": {"max_results": 5, "similarity_threshold": 0.2},
}


def test_the_sample_request_finds_the_sample_passage(stack):
    reply = stack.post("/api/search", SEED_REQUEST)
    assert reply.status == 200
    answer = reply.json()
    assert {"results", "count", "total", "query", "response_time", "from_cache",
            "request_id", "user_id", "timestamp", "mode", "degraded"} <= set(answer)
    assert answer["user_id"] == "staff123"
    assert answer["from_cache"] is False
    assert answer["degraded"] == []
    assert answer["mode"] == "hybrid"
    assert answer["count"] == len(answer["results"]) >= 1
    assert answer["total"] >= answer["count"]
    assert isinstance(answer["timestamp"], float) and answer["timestamp"] > 1.7e9
    assert reply.headers["X-Request-ID"] == answer["request_id"]
    assert float(reply.headers["X-Response-Time"]) > 0

    hit = answer["results"][0]
    assert {"chunk_id", "document_id", "document_title", "section_title", "text",
            "page_number", "metadata", "similarity", "text_score",
            "combined_score"} <= set(hit)
    assert hit["document_title"] == "IT Staff Guide: Passwords and Accounts"
    assert hit["section_title"] == "Password reset for staff"
    assert hit["page_number"] == 15
    assert hit["metadata"]["department"] == "IT Services"
    assert hit["metadata"]["priority"] == 4
    assert hit["metadata"]["campus"] == "King's Buildings"
    assert hit["metadata"]["clearance_level"] == 3
    assert hit["metadata"]["last_reviewed"] == "2024-08-15T10:30:00"
    assert -1 <= hit["similarity"] <= 1
    assert 0 <= hit["combined_score"] <= 1


def test_results_are_ordered_by_combined_score(stack):
    hits = stack.search("university network password library", user=ADMIN)["results"]
    scores = [hit["combined_score"] for hit in hits]
    assert len(hits) > 2
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("mode", ["hybrid", "vector", "text"])
def test_each_mode_answers(stack, mode):
    answer = stack.search("renew a library book", config={"mode": mode})
    assert answer["mode"] == mode
    assert answer["results"][0]["document_id"] == "university-library-loans"


def test_get_is_the_same_for_a_person(stack):
    found = stack.get("/api/search?q=renew%20a%20library%20book&max_results=1").json()
    assert found["count"] == 1
    assert found["results"][0]["document_id"] == "university-library-loans"


def test_v1_is_an_alias(stack):
    reply = stack.post("/api/v1/search", SEED_REQUEST)
    assert reply.status == 200
    assert reply.json()["count"] >= 1


def test_form_encoded_json_from_curl_is_taken(stack):
    reply = stack.post("/api/search", '{"query":"eduroam"}',
                       headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert reply.status == 200
    assert reply.json()["count"] >= 1


def test_nobody_sees_above_their_clearance(stack):
    query = "pseudonymisation of patient data"
    nobody = stack.search(query)
    assert all(h["metadata"]["clearance_level"] <= 1 for h in nobody["results"])
    staff = stack.search(query, user=STAFF)
    assert all(h["metadata"]["clearance_level"] <= 3 for h in staff["results"])
    assert "university-clinical-data" not in {h["document_id"] for h in staff["results"]}
    admin = stack.search(query, user=ADMIN)
    assert admin["results"][0]["document_id"] == "university-clinical-data"
    assert nobody["total"] < staff["total"] < admin["total"]


def test_a_department_above_level_2_is_closed_to_others(stack):
    other = {**STAFF, "department": "Library"}
    answer = stack.search("password reset for staff", user=other)
    assert "university-password-guide" not in {h["document_id"] for h in answer["results"]}
    own = stack.search("password reset for staff", user=STAFF)
    assert "university-password-guide" in {h["document_id"] for h in own["results"]}


@pytest.mark.parametrize("filters, expected", [
    ({"department": "Library"}, {"university-library-loans"}),
    ({"campus": "Easter Bush"}, {"university-veterinary-intake"}),
    ({"min_priority": 5}, {"university-lab-access", "university-clinical-data"}),
    ({"document_id": "university-student-wifi"}, {"university-student-wifi"}),
    ({"collection": "nowhere"}, set()),
    ({"max_clearance": 1}, {"university-student-wifi", "university-library-loans"}),
    ({"metadata": {"language": "xx"}}, set()),
])
def test_filters(stack, filters, expected):
    filters = {"collection": "university", **filters}
    answer = stack.search("the a university hospital library network access animal data",
                          user={**ADMIN, "department": "IT Services"}, filters=filters,
                          config={"max_results": 50})
    assert {h["document_id"] for h in answer["results"]} == expected


def test_ranges_sets_and_distance_in_metadata(stack):
    for n, (year, tags, lat) in enumerate([(2018, ["a"], 1.5), (2021, ["b", "c"], 1.6),
                                           (2024, ["c"], 50.0)]):
        stack.put(id=f"meta-{n}", title="Metadata probe", text="quokka sightings",
                  collection="meta",
                  metadata={"year": year, "tags": tags, "position": {"lat": lat, "lon": 2}})

    def ids(**metadata):
        answer = stack.search("quokka sightings", filters={"collection": "meta",
                                                           "metadata": metadata})
        return sorted(h["document_id"] for h in answer["results"])

    assert ids(year={"gte": 2019, "lt": 2024}) == ["meta-1"]
    assert ids(tags={"any": ["a", "b"]}) == ["meta-0", "meta-1"]
    near = {"geo": {"lat": 1.5, "lon": 2.0, "radius_km": 30}}
    assert ids(position=near) == ["meta-0", "meta-1"]
    assert ids(year={"gte": 2030, "lt": 2019}) == []


def planets(stack):
    """Four of them, as a catalogue has them: some values are not known."""
    rows = [("Kepler-452 b", 2015, 265.0, 296.0037, 44.2776), ("51 Peg b", 1995, None, 344.3667,
            20.7689), ("Kepler-440 b", 2015, 273.0, 285.35, 41.4523), ("TOI-262 b", 2023, 584.0,
            32.5333, -31.0706)]
    for name, year, kelvin, ra, dec in rows:
        stack.put(id=name.replace(" ", "-"), title=name, text=f"{name} orbits its star",
                  collection="planets",
                  metadata={"year": year, "temperature_k": kelvin, "sky": {"ra": ra, "dec": dec},
                            "clearance_level": 3 if year == 2023 else 1})

    def browse(**body):
        reply = stack.post("/api/documents/query", {"collection": "planets", **body})
        assert reply.status == 200, reply.body
        answer = reply.json()
        return [d["title"] for d in answer["documents"]], answer["pagination"]["total_count"]
    return browse


def test_a_catalogue_is_browsed_by_range_order_and_cone(stack):
    browse = planets(stack)
    known = ["51 Peg b", "Kepler-440 b", "Kepler-452 b"]
    eventually(lambda: browse(sort="title") == (known, 3), seconds=60)
    assert browse(user=ADMIN, sort="-year") == (["TOI-262 b", "Kepler-440 b", "Kepler-452 b",
                                                 "51 Peg b"], 4)
    assert browse(sort=["-year", "temperature_k"])[0] == ["Kepler-452 b", "Kepler-440 b",
                                                          "51 Peg b"]
    assert browse(sort="-temperature_k")[0] == ["Kepler-440 b", "Kepler-452 b", "51 Peg b"]
    assert browse(filters={"metadata": {"year": {"gte": 2000}}}, sort="title") == (known[1:], 2)
    cone = {"cone": {"ra": 295, "dec": 45, "radius_deg": 1.02}}
    assert browse(filters={"metadata": {"sky": cone}}) == (["Kepler-452 b"], 1)
    cone["cone"]["radius_deg"] = 10
    assert browse(filters={"metadata": {"sky": cone}}, sort="-title") == (known[:0:-1], 2)
    assert browse(sort="title", page=2, per_page=2) == (["Kepler-452 b"], 3)
    assert browse(sort="title", page=3, per_page=2) == ([], 3)


@pytest.mark.parametrize("body,field", [
    ({"filters": {"metadata": {"sky": {"cone": {"ra": 1, "dec": 100, "radius_deg": 1}}}}},
     "filters.metadata.sky.cone.dec"),
    ({"sort": ["a"] * 5}, "sort"), ({"sort": "-"}, "sort"), ({"sort": 7}, "sort"),
    ({"page": 101, "per_page": 100}, "page"), ({"per_page": 101}, "per_page"),
])
def test_what_cannot_be_browsed_is_named(stack, body, field):
    reply = stack.post("/api/documents/query", body)
    assert (reply.status, reply.json()["field"].split("[")[0]) == (400, field), reply.body


def test_paging_neither_repeats_nor_reorders(stack):
    query, seen = "the university and its staff", []
    whole = stack.search(query, user=ADMIN, config={"max_results": 6})["results"]
    for offset in range(0, 6, 2):
        page = stack.search(query, user=ADMIN,
                            config={"max_results": 2, "offset": offset})["results"]
        seen += [hit["chunk_id"] for hit in page]
    assert seen == [hit["chunk_id"] for hit in whole]
    assert len(set(seen)) == len(seen)


def test_max_results_is_cut_to_the_roles_limit(stack):
    answer = stack.search("university", config={"max_results": 1000})
    assert answer["count"] <= 10


def test_highlight_marks_the_words(stack):
    answer = stack.search("recalled book", config={"highlight": True, "mode": "text"})
    assert "<em>recalled</em>" in answer["results"][0]["highlight"]


def test_explain_tells_scores_and_plan(stack):
    answer = stack.search("eduroam certificate", config={"explain": True})
    assert answer["plan"]["complete"] is True
    assert answer["plan"]["vector"]["scanned"] >= 1
    assert answer["results"][0]["explanation"]


def test_markup_in_documents_is_escaped_in_highlights(stack):
    stack.put(id="markup", title="Markup", text="a <script>alert(1)</script> zyzzyva & co")
    answer = stack.search("zyzzyva", config={"highlight": True})
    assert "<script>" not in answer["results"][0]["highlight"]
    assert "<script>" in answer["results"][0]["text"]


def test_the_columns_are_shown_whatever_the_document_said(stack):
    stack.put(id="bare", title="Bare", text="okapi", collection="bare")
    filters = {"collection": "bare"}
    hit = stack.search("okapi", filters=filters)["results"][0]
    assert hit["metadata"] == {"department": None, "campus": None, "priority": None,
                               "clearance_level": 1, "last_reviewed": None}
    filters["metadata"] = {"department": {"exists": True}}
    assert stack.search("okapi", filters=filters)["count"] == 0


def test_ordinary_text_is_never_refused(stack):
    for query in ["SELECT committee", "O'Brien", "naïve café", "数据 检索", "100% of <users>",
                  "King's Buildings", "-- ; DROP TABLE"]:
        answer = stack.search(query)
        assert answer["query"] == query


def test_the_request_id_goes_through_every_service(stack):
    stack.post("/api/search", {"query": "trace me"}, headers={"X-Request-ID": "trace-me-1"})
    # The line is written after the answer.
    eventually(lambda: "trace-me-1" in stack.log("gateway"), what="no line bears the id")
    reply = stack.post("/api/search", {"query": "x" * 10}, headers={"X-Request-ID": "a b"})
    assert reply.headers["X-Request-ID"].startswith("req_")


@pytest.mark.parametrize("body, field", [
    ({}, "query"),
    ({"query": "   "}, "query"),
    ({"query": "x" * 2001}, "query"),
    ({"query": 5}, "query"),
    ({"query": "x", "config": {"max_results": 0}}, "config.max_results"),
    ({"query": "x", "config": {"max_results": "5"}}, "config.max_results"),
    ({"query": "x", "config": {"mode": "psychic"}}, "config.mode"),
    ({"query": "x", "config": {"similarity_threshold": 1.5}}, "config.similarity_threshold"),
    ({"query": "x", "config": []}, "config"),
    ({"query": "wort " * 20000}, "query"),
    ({"query": "x", "config": {"per_document": -1}}, "config.per_document"),
    ({"query": "x", "config": {"per_document": 1001}}, "config.per_document"),
    ({"query": "x", "config": {"per_document": "2"}}, "config.per_document"),
    ({"query": "x", "config": {"per_document": 1.5}}, "config.per_document"),
    ({"query": "x", "config": {"merge": "yes"}}, "config.merge"),
    ({"query": "x", "config": {"merge": 1}}, "config.merge"),
    ({"query": "x", "config": {"expand": 0}}, "config.expand"),
    ({"query": "x", "config": {"require_complete": "true"}}, "config.require_complete"),
    ({"query": "x", "config": {"diversity": 2}}, "config.diversity"),
    ({"query": "x", "config": {"vector_weight": -0.1}}, "config.vector_weight"),
    ({"query": "x", "config": {"vector_weight": "NaN"}}, "config.vector_weight"),
    ({"query": "x", "config": {"offset": -1}}, "config.offset"),
    ({"query": "x", "config": {"offset": 100001}}, "config.offset"),
    ({"query": "x", "config": {"explain": []}}, "config.explain"),
    ({"query": "x", "user": {"role": "emperor"}}, "user.role"),
    ({"query": "x", "filters": {"departement": "IT"}}, "filters.departement"),
    ({"query": "x", "filters": {"min_priority": "high"}}, "filters.min_priority"),
    ({"query": "x", "filters": {"min_priority": 6}}, "filters.min_priority"),
    ({"query": "x", "filters": {"metadata": {"day": {"lt": "2026-02-30"}}}},
     "filters.metadata.day.lt"),
])
def test_bad_requests_name_the_field(stack, body, field):
    reply = stack.post("/api/search", body)
    assert reply.status == 400, reply.body
    problem = reply.json()
    assert problem["code"] == "invalid_request"
    assert problem["field"] == field
    assert reply.headers["Content-Type"].startswith("application/problem+json")


@pytest.mark.parametrize("filters", [{"max_clearance": 5}, {"clearance_level": 4},
                                     {"metadata": {"clearance_level": 4}},
                                     {"metadata": {"clearance_level": {"gt": 3}}}])
def test_asking_above_ones_clearance_is_forbidden(stack, filters):
    reply = stack.post("/api/search", {"query": "x", "user": STAFF, "filters": filters})
    assert reply.status == 403
    assert reply.json()["code"] == "forbidden"


@pytest.mark.parametrize("filters, field", [
    ({"metadata": {"year": {"gtee": 1}}}, "filters.metadata.year.gtee"),
    ({"any": [{}, {"colour": "red"}]}, "filters.any[1].colour"),
    ({"metadata": {"year": {"gte": 1, "lt": "2020-01-01"}}}, "filters.metadata.year.lt"),
    ({"metadata": {"n": {"any": list(range(5000))}}}, "filters.metadata.n.any"),
    ({"metadata": {"n": "x" * 100_000}}, "filters"),
])
def test_filters_beyond_reason_are_refused_by_name(stack, filters, field):
    reply = stack.post("/api/search", {"query": "x", "filters": filters})
    assert reply.status == 400, reply.body
    assert reply.json()["field"] == field


def test_conditions_that_contradict_find_nothing(stack):
    stack.put(id="contradiction-1", title="Contradiction probe", text="wombat burrows",
              collection="contradiction", metadata={"year": 2020})

    def total(**metadata):
        return stack.search("wombat", filters={"collection": "contradiction",
                                               "metadata": metadata})["total"]

    assert total(year={"gte": 2020, "lte": 2020}) == 1
    assert total(year={"gte": 2021, "lte": 2019}) == 0
    assert total(year={"gt": 2020, "lt": 2020}) == 0
    assert total(year={"any": []}) == 0


def test_a_filter_follows_every_change_of_a_document(stack):
    def found(**filters):
        answer = stack.search("numbat termites", filters={"collection": "change", **filters})
        assert answer["total"] == answer["count"]
        return answer["total"]

    for year, tag in [(2001, "old"), (2002, "new"), (2003, "new")]:
        stack.put(id="change-1", title="Change probe", text="numbat termites",
                  collection="change", metadata={"year": year, "tag": tag})
        assert found(metadata={"year": year}) == 1
        assert found(metadata={"year": {"lt": year}}) == 0
        assert found(metadata={"tag": {"none": [tag]}}) == 0
    assert stack.delete("/api/documents/change-1").status in (200, 204)
    assert found() == 0
    assert found(metadata={"tag": {"exists": True}}) == 0


@pytest.mark.parametrize("body", [
    '{"query":"x","config":{"diversity":NaN}}',
    '{"query":"x","config":{"vector_weight":Infinity}}',
    '{"query":"x","config":{"vector_weight":1e999}}',
    '{"query":"x","filters":' + '{"all":[' * 5000 + "]}" * 5000 + "}",
    '{"query":"x","filters":' + '{"any":[' * 20 + "{}" + "]}" * 20 + "}",
    '{"query":"x","config":' + "[" * 100000 + "]" * 100000 + "}",
    '{"query":"x","query":"y"}',
    '{"query":"\\ud800"}',
    "[]",
])
def test_what_is_not_sane_json_is_refused_with_a_code(stack, body):
    reply = stack.post("/api/search", body, headers={"Content-Type": "application/json"})
    assert reply.status in (400, 413), reply.body[:200]
    assert reply.json()["code"] in ("malformed_json", "invalid_request", "too_large")


def test_a_body_without_end_is_refused(stack):
    reply = stack.post("/api/search", {"query": "x", "filters": {"metadata": {
        "a": "x" * 2_000_000}}})
    assert reply.status in (400, 413)
    assert reply.json()["code"] in ("invalid_request", "too_large")


PARTS = "one", "two", "three", "four", "five"  # a line with numbers would be a running head
GUIDE = {
    "id": "group-guide", "title": "Sealcare", "collection": "group",
    "sections": [{"title": f"Part {n}", "page_number": n,
                  "text": f"The otter of part {part} eats fish and sleeps on its back."}
                 for n, part in enumerate(PARTS, 1)],
}


def test_neighbouring_passages_can_become_one_result(stack):
    stack.put(**GUIDE)
    filters = {"collection": "group"}
    plain = stack.search("otter", filters=filters, config={"mode": "text"})
    assert plain["count"] == 5
    assert not any("merged" in hit for hit in plain["results"])
    answer = stack.search("otter", filters=filters, config={"mode": "text", "merge": True})
    assert answer["count"] == 1
    assert answer["total"] == 5
    hit = answer["results"][0]
    assert hit["merged"] == [f"group-guide#{n}" for n in range(5)]
    assert hit["chunk_id"] in hit["merged"]
    assert hit["page_number"] == 1 and hit["section_title"] == "Part 1"
    places = [hit["text"].index(f"otter of part {part}") for part in PARTS]
    assert places == sorted(places)
    assert hit["highlight"].count("<em>otter</em>") == 5


def test_a_document_can_be_held_to_its_best_passages(stack):
    stack.put(**GUIDE)
    answer = stack.search("otter", filters={"collection": "group"},
                          config={"per_document": 2})
    assert answer["count"] == 2
    best = stack.search("otter", filters={"collection": "group"}, config={"max_results": 2})
    assert [h["chunk_id"] for h in answer["results"]] == [
        h["chunk_id"] for h in best["results"]]


def test_members_that_nobody_knows_are_ignored(stack):
    reply = stack.post("/api/search", {"query": "eduroam", "colour": "red",
                                       "config": {"from_the_future": [1]}})
    assert reply.status == 200
    assert reply.json()["count"] >= 1
