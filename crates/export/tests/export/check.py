"""Reads an export with the programs that it is for, and compares it with what the
subject file says: check.py FORM EXPECTED.json"""

import json
import pathlib
import sys

NS = 1_000_000_000
# What an export calls a column whose name the table has already.
RENAMED = {
    "nwb": {
        "trial": "trial_",
        "CORRECT": "CORRECT_",
        "id": "id_",
        "start_time": "start_time_",
        "tags": "tags_",
        "n_missing": "n_missing_",
        "name": "name_",
        "description": "description_",
        "parent": "parent_",
    },
    "csv": {"trial": "trial_", "subject": "subject_", "CORRECT": "CORRECT_"},
    "parquet": {"trial": "trial_", "subject": "subject_", "CORRECT": "CORRECT_"},
}


def same(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what}: found {found!r}, and the subject file says {wanted!r}")


def plain(value):
    """A value of pandas or pyarrow as Python has it; missing is None."""
    import pandas as pd

    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return None
    return value.item() if hasattr(value, "item") else value


def trials(form, where, frame, session):
    """Compares a frame of trials with the subject file's."""
    same(f"{where}: trials", len(frame), len(session["rows"]))
    names = [RENAMED[form].get(column["name"], column["name"]) for column in session["columns"]]
    for row, wanted in zip(frame.to_dict("records"), session["rows"]):
        place = f"{where}: trial {wanted['trial']}"
        same(place, plain(row["trial"]), wanted["trial"])
        same(f"{place} start", round(row["start_s"] * NS), wanted["start_ns"])
        same(f"{place} end", round(row["end_s"] * NS), wanted["end_ns"])
        same(f"{place} ending", row["ending"], wanted["ending"])
        for name, value in zip(names, wanted["values"]):
            found = plain(row[name])
            same(f"{place} {name}", (type(found), found), (type(value), value))


def events(where, frame, session):
    """Compares a frame of events with the subject file's."""
    same(f"{where}: events", len(frame), len(session["events"]))
    for row, wanted in zip(frame.to_dict("records"), session["events"]):
        found = [round(row["time_s"] * NS), row["trial"], row["kind"], row["source"], plain(row["value"])]
        same(f"{where}: event at {wanted[0]} ns", found, wanted)


def described(form, where, fields, session):
    """Compares units and descriptions, given as {name: (unit, description)}."""
    for column in session["columns"]:
        name = RENAMED[form].get(column["name"], column["name"])
        unit, doc = fields[name]
        same(f"{where}: unit of {name}", unit, column["unit"])
        same(f"{where}: description of {name}", doc, column["doc"] or f"the column {name}")
    for name, (unit, doc) in fields.items():
        if not doc:
            sys.exit(f"{where}: {name} has no description")
    same(f"{where}: unit of start_s", fields["start_s"][0], "s")


def csv(export, session):
    import pandas as pd

    package = json.loads((export / "datapackage.json").read_text())
    same("uuid", package["session"]["uuid"], session["uuid"])
    same("start_time_ns", package["session"]["start_time_ns"], session["start_time_ns"])
    types = {"integer": "Int64", "number": "Float64", "boolean": "boolean", "string": "string"}
    frames = {}
    for resource in package["resources"]:
        fields = resource["schema"]["fields"]
        dtype = {field["name"]: types[field["type"]] for field in fields}
        frame = pd.read_csv(export / resource["path"], dtype=dtype, keep_default_na=False, na_values=[""])
        same(f"{resource['name']}: columns", list(frame.columns), [field["name"] for field in fields])
        for field in fields:
            allowed = field.get("constraints", {}).get("enum")
            if allowed and not set(frame[field["name"]].dropna()) <= set(allowed):
                sys.exit(f"{field['name']} has other values than {allowed}")
        frames[resource["name"]] = frame
        if resource["name"] == "trials":
            described("csv", "trials.csv", {f["name"]: (f["unit"], f["description"]) for f in fields}, session)
    trials("csv", "trials.csv", frames["trials"], session)
    events("events.csv", frames["events"], session)
    notes = [[round(row["time_s"] * NS), row["text"]] for row in frames["notes"].to_dict("records")]
    same("notes.csv", notes, session["notes"])


def parquet(export, sessions):
    import duckdb
    import pyarrow.dataset
    import pyarrow.parquet

    for session in sessions:
        folder = export / f"subject={session['subject']}" / f"session={session['session']:04}"
        where = f"{session['subject']} {session['session']}"
        table = pyarrow.parquet.ParquetFile(folder / "trials.parquet").read()
        fields = {field.name: field.metadata for field in table.schema}
        fields = {name: (about[b"unit"].decode(), about[b"description"].decode()) for name, about in fields.items()}
        described("parquet", where, fields, session)
        rows = {name: table[name].to_pylist() for name in table.column_names}
        trials("parquet", f"{where}, pyarrow", Rows(rows), session)
        # A table of several files, each with columns of its own.
        query = f"""select * from read_parquet('{export}/*/*/trials.parquet', hive_partitioning = true,
            union_by_name = true) where subject = '{session['subject']}' and session = {session['session']} order by trial"""
        trials("parquet", f"{where}, DuckDB", Rows(columns(duckdb.sql(query))), session)
        query = f"select * from read_parquet('{folder}/events.parquet')"
        events(f"{where}, DuckDB", Rows(columns(duckdb.sql(query))), session)
        (one,) = duckdb.sql(f"select uuid, task, start_time_ns, epoch_ns(started) from '{folder}/session.parquet'").fetchall()
        started = pd_timestamp(session["started"])
        same(where, one, (session["uuid"], session["task"], session["start_time_ns"], started))
    found = pyarrow.dataset.dataset(
        sorted(str(path) for path in export.glob("*/*/trials.parquet")), partitioning="hive"
    )
    same("pyarrow.dataset", found.count_rows(), sum(len(session["rows"]) for session in sessions))
    same("subjects", set(found.to_table(columns=["subject"])["subject"].to_pylist()),
         {session["subject"] for session in sessions if session["rows"]})


def numpy_text(value):
    """The text in what may be an array of one."""
    return value.item() if hasattr(value, "item") else value


def nwb(export, session):
    import warnings

    import pynwb
    from nwbinspector import Importance, inspect_nwbfile, load_config

    warnings.simplefilter("ignore")
    wrong = pynwb.validate(path=str(export))
    if wrong:
        sys.exit("pynwb.validate: " + "\n".join(map(str, wrong)))
    # Archives ask more than NWB does.
    # A check that itself ends in an error is found whatever it is said to be worth.
    found = list(inspect_nwbfile(nwbfile_path=export, config=load_config("dandi")))
    found = [one for one in found if one.importance.value >= Importance.CRITICAL.value]
    if found:
        sys.exit("nwbinspector: " + "\n".join(f"{one.check_function_name} {one.location}: {one.message}" for one in found))
    with pynwb.NWBHDF5IO(export, "r") as io:
        file = io.read()
        same("identifier", file.identifier, session["uuid"])
        same("start", file.session_start_time.timestamp(), pd_timestamp(session["started"]) / NS)
        same("subject", file.subject.subject_id, session["subject"])
        table = file.trials
        same("a table of trials", table is not None, bool(session["rows"]))
        frame = table.to_dataframe() if table is not None else None
        for column in session["columns"] if table is not None else []:
            name = RENAMED["nwb"].get(column["name"], column["name"])
            doc = column["doc"] or f"the column {column['name']}"
            same(f"description of {name}", table[name].description, doc + (f" [{column['unit']}]" if column["unit"] else ""))
        # What is missing, as the subject file says it.
        for column in session["columns"] if table is not None else []:
            name = RENAMED["nwb"].get(column["name"], column["name"])
            if column["type"] in ("boolean", "integer"):
                frame[name] = frame[name].astype(object).where(~frame[f"{name}_missing"].astype(bool), None)
            elif column["type"].startswith("choice"):
                frame[name] = frame[name].astype(object).where(frame[name] != "", None)
        if frame is not None:
            frame["start_s"], frame["end_s"] = frame["start_time"], frame["stop_time"]
            trials("nwb", "trials", frame, session)
        actions = {"output", "command", "halt", "ends", "manual"}
        series = {"position", "analog"}
        everything = session["events"]
        started = [event for event in everything if event[2] == "stage start"]
        # A table of intervals that all start at once is critical to nwbinspector.
        at_once = len(started) > 1 and len({event[0] for event in started}) == 1
        states = set() if at_once else {"stage start", "stage end"}
        parts = {
            "actions": [event for event in everything if event[2] in actions],
            "events": [event for event in everything if event[2] not in actions | states | series],
        }
        for name, wanted in parts.items():
            if wanted:
                frame = file.events[name].to_dataframe()
                frame["time_s"] = frame["timestamp"]
                events(name, frame, {"events": wanted})
        same("a table of states", "states" in (file.intervals or {}), bool(started) and not at_once)
        if started and not at_once:
            frame = file.intervals["states"].to_dataframe()
            found = [[round(row["start_time"] * NS), row["trial"], row["state"]] for row in frame.to_dict("records")]
            same("states", found, [[event[0], event[1], event[3]] for event in started])
            ended = sum(1 for event in everything if event[2] == "stage end")
            same("states that ended", int(frame["stop_time"].notna().sum()), min(ended, len(started)))
        for device in {event[3] for event in everything if event[2] in series}:
            wanted = [event for event in everything if event[2] in series and event[3] == device]
            measured = file.acquisition[device]
            same(device, [round(time * NS) for time in measured.timestamps[:]], [event[0] for event in wanted])
            same(device, list(measured.data[:]), [event[4] for event in wanted])
            print(f"{device} in {measured.unit}")
        if session["notes"]:
            frame = file.events["notes"].to_dataframe()
            found = [[round(row["timestamp"] * NS), row["text"]] for row in frame.to_dict("records")]
            same("notes", found, session["notes"])
        files = file.acquisition["task_files"].to_dataframe().set_index("path")["text"].to_dict()
        about = json.loads(numpy_text(file.get_scratch("session")))
        json.loads(numpy_text(file.get_scratch("provenance")))
        same("sources", files, session["sources"])
        same("start_time_ns", about["start_time_ns"], session["start_time_ns"])
        print("devices", *sorted(file.devices))


def aind(export, session):
    import pandas as pd
    from aind_data_schema.core import acquisition, data_description, instrument, procedures, subject
    from aind_data_schema.core.metadata import Metadata

    models = {
        "subject": subject.Subject,
        "procedures": procedures.Procedures,
        "instrument": instrument.Instrument,
        "acquisition": acquisition.Acquisition,
        "data_description": data_description.DataDescription,
    }
    documents = {}
    for name, model in models.items():
        text = (export / f"{name}.json").read_text()
        documents[name] = model.model_validate_json(text)
        # A document that says another version than the models' is of no use.
        same(name, json.loads(text)["schema_version"], documents[name].schema_version)
        same(name, documents[name].schema_version, model.model_fields["schema_version"].default)
    description = documents["data_description"]
    same("name", description.name, export.name)
    metadata = Metadata(name=description.name, location=str(export), **documents)
    same("subject", metadata.acquisition.subject_id, session["subject"].replace("_", "-"))
    same("trials", metadata.acquisition.stimulus_epochs[0].performance_metrics.trials_total, len(session["rows"]))
    same("tables", len(pd.read_csv(export / "behavior" / "trials.csv")), len(session["rows"]))
    print("institution", description.institution.name, "paid by", description.funding_source[0].funder.name)
    print("tags", *description.tags, sep="; ")
    print(documents["subject"].notes)


def organizations():
    from aind_data_schema_models.organizations import Organization

    print("\n".join(sorted(one().name for one in Organization.ALL)))


def pd_timestamp(text):
    import pandas as pd

    return pd.Timestamp(text).value


def columns(relation):
    """A relation of DuckDB as {name: values}."""
    values = list(zip(*relation.fetchall()))
    return {name: list(values[place]) if values else [] for place, name in enumerate(relation.columns)}


class Rows:
    """What this file wants of a frame."""

    def __init__(self, columns):
        self.columns = columns

    def __len__(self):
        return len(next(iter(self.columns.values())))

    def to_dict(self, _):
        return [dict(zip(self.columns, row)) for row in zip(*self.columns.values())]


form = sys.argv[1]
if form == "organizations":
    organizations()
    sys.exit()
sessions = json.loads(pathlib.Path(sys.argv[2]).read_text())
exports = [pathlib.Path(session["export"]) for session in sessions]
if form == "parquet":
    parquet(exports[0].parent.parent, sessions)
else:
    for export, session in zip(exports, sessions):
        {"csv": csv, "nwb": nwb, "aind": aind}[form](export, session)
print(f"{form}: {len(sessions)} sessions, {sum(len(session['rows']) for session in sessions)} trials compared")
