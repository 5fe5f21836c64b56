DROP TABLE fitted_model_pieces;
DROP TABLE fitted_models;
