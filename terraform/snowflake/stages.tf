# The flows create both if they are missing; created here, no role of the flows can drop them
resource "snowflake_stage_internal" "loads" {
  database = snowflake_database.main.name
  schema   = snowflake_schema.all["RAW"].name
  name     = "LOADS"
  comment  = "Parquet files on their way into raw_<source>; removed once they are loaded"

  encryption {
    snowflake_full {}
  }
}

resource "snowflake_stage_internal" "models" {
  database = snowflake_database.main.name
  schema   = snowflake_schema.all["MARTS"].name
  name     = "MODELS"
  comment  = "Models and code of marts.predict_churn_udf"

  encryption {
    snowflake_full {}
  }
}
