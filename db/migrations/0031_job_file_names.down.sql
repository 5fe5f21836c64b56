ALTER TABLE jobs DROP COLUMN file_name;
