"""What each customer buys next: pure, from who bought what on which day. No database, no Prefect, no dbt."""
