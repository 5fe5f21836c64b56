DROP TABLE glossary_terms, pending_embeddings, chunk_vectors, models, chunks, sections,
           documents, search_outbox, outbox_horizon;
DROP FUNCTION outbox_record_vectors(), set_updated_at(), outbox_trim(name, interval),
              outbox_record_truncate(), outbox_record(), outbox_notify();
