-- What the file was called that a job was made from; null: it was made from none, or its
-- sender did not say.
ALTER TABLE jobs ADD COLUMN file_name text
    CHECK (file_name <> '' AND octet_length(file_name) <= 255);
