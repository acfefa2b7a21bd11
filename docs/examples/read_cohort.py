"""Reads all sessions of a cohort in Parquet as one table, and what a column of it is."""

import pathlib
import sys

import duckdb
import pyarrow.parquet

cohort = pathlib.Path(sys.argv[1])


def every(table):
    return f"read_parquet('{cohort}/*/*/{table}.parquet', hive_partitioning = true, union_by_name = true)"


counts = duckdb.sql(f"""
    select subject, session, task, outcome, count(*)
    from {every("trials")} join (select subject, session, task from {every("session")}) using (subject, session)
    group by all order by all""")
for row in counts.fetchall():
    print(*row)

first = next(cohort.glob("*/*/trials.parquet"))
about = pyarrow.parquet.read_schema(first).field("latency").metadata
print(f"latency: {about[b'description'].decode()} [{about[b'unit'].decode()}]")
