SELECT search_teardown();
DROP FUNCTION search_rules(text[], text[]), search_wish(text[], boolean[], integer),
              search_beginning(text), search_phrase(text, regconfig[]), search_configs(),
              search_teardown(), search_backfill(text, integer),
              search_setup(text, integer, text), search_vectors_record(),
              search_words_retitle(), search_words_record(), search_floats(bytea),
              search_vectorise(regconfig, text, text, text), search_config(jsonb),
              search_fold(text), metadata_distance_km(double precision, double precision,
              double precision, double precision), metadata_date(jsonb),
              metadata_first_number(jsonb, text), metadata_number(jsonb),
              metadata_exists(jsonb, text, integer), metadata_any(jsonb, integer),
              metadata_values(jsonb, text, integer), metadata_scalars(jsonb);
