"""Reads all sessions of a cohort in Parquet as one table, and what its columns are."""

import pathlib
import sys

import duckdb
import pyarrow.parquet

cohort = pathlib.Path(sys.argv[1])


def every(table):
    return f"read_parquet('{cohort}/*/*/{table}.parquet', hive_partitioning = true, union_by_name = true)"


# Not every task has such a column.
outcome = ", outcome" if "outcome" in duckdb.sql(f"from {every('trials')}").columns else ""
counts = duckdb.sql(f"""
    select subject, session, task{outcome}, count(*)
    from {every("trials")} join (select subject, session, task from {every("session")}) using (subject, session)
    group by all order by all""")
for row in counts.fetchall():
    print(*row)

schemas = [pyarrow.parquet.read_schema(path) for path in sorted(cohort.glob("*/*/trials.parquet"))]
for field in {field.name: field for schema in schemas for field in schema}.values():
    if unit := field.metadata[b"unit"].decode():
        print(f"{field.name}: {field.metadata[b'description'].decode()} [{unit}]")
