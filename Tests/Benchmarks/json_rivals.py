"""Counts two nested fields of events.json with a library, on two threads: json_rivals.py polars|clickhouse LIMIT

Prints path, status and count, the highest count first, then by path and status; LIMIT 0 prints all.
"""

import os
import sys


def polars(limit):
    os.environ["POLARS_MAX_THREADS"] = "2"
    import polars as pl

    schema = {"request": pl.Struct({"path": pl.String}), "response": pl.Struct({"status": pl.Int64})}
    path, status = pl.col("request").struct.field("path"), pl.col("response").struct.field("status")
    counts = (
        pl.scan_ndjson("events.json", schema=schema).select(path, status).group_by("path", "status").len()
        .with_columns(key=pl.col("path") + "\t" + pl.col("status").cast(pl.String))
        .sort(["len", "key"], descending=[True, False]).drop("key"))
    frame = (counts.limit(limit) if limit else counts).collect()
    frame.write_csv(sys.stdout.buffer, include_header=False, separator="\t")


def clickhouse(limit):
    import chdb

    query = (
        "SELECT request.path AS path, toString(response.status) AS status, count() AS n FROM file('events.json', "
        "JSONEachRow, 'request Tuple(path String), response Tuple(status Int64)') GROUP BY path, status "
        "ORDER BY n DESC, path || char(9) || status" + (f" LIMIT {limit}" if limit else "") + " SETTINGS max_threads = 2, "
        "input_format_skip_unknown_fields = 1, input_format_json_ignore_unknown_keys_in_named_tuple = 1")
    sys.stdout.write(str(chdb.query(query, "TSV")))


if __name__ == "__main__":
    {"polars": polars, "clickhouse": clickhouse}[sys.argv[1]](int(sys.argv[2]))
