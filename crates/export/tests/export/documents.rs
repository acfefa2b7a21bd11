//! NWB, and the documents of AIND.

use std::path::Path;

use bramble_export::{Form, Session, Whether};
use bramble_subject::Biography;
use bramble_value::Ending;

use crate::outside::{check, python};
use crate::sessions::{by, cohort, empty, exported, here, odd, session, simulated, stopped_at_once, subject};

#[test]
fn nwb_passes_its_validator_and_inspector_and_pynwb_reads_what_the_subject_file_says() {
    let folder = tempfile::tempdir().unwrap();
    let mut sessions = cohort(folder.path());
    let mut third = subject(folder.path(), "M003");
    let number = stopped_at_once(&mut third);
    sessions.push(session(&third, number.get()));
    let said = check("nwb", &exported(Form::Nwb, sessions, folder.path()));
    for line in [
        "devices box1 lamp light poke speaker valve wheel\n",
        "devices box1 wheel\n",
        "wheel in deg\n",
        "devices box1 led\n",
        "nwb: 7 sessions, 90 trials compared\n",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
}

#[test]
fn an_nwb_file_says_the_same_of_itself_whenever_it_is_exported() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject(folder.path(), "M001");
    odd(&mut file);
    let session = session(&file, 1);
    let ids = |out: &str| {
        let path = Form::Nwb.export(&session, &here(), &folder.path().join(out), Whether::ToKeep).unwrap();
        let file = hdf5::File::open(path).unwrap();
        let id = |path: &str| {
            let object = file.group(path).unwrap();
            let id = object.attr("object_id").unwrap().read_scalar::<hdf5::types::VarLenUnicode>();
            id.unwrap().to_string()
        };
        [id("/"), id("/intervals/trials"), id("/events/events")]
    };
    let (first, second) = (ids("a"), ids("b"));
    assert_eq!(first, second);
    assert!(first[0] != first[1] && first[1] != first[2]);
}

#[test]
fn the_documents_of_a_session_are_accepted_by_the_models_of_aind() {
    let folder = tempfile::tempdir().unwrap();
    let said = check("aind", &exported(Form::Aind, cohort(folder.path()), folder.path()));
    assert!(said.contains("institution Stanford University paid by Other\n"), "{said}");
    assert!(
        said.contains("; institution: Stanford University; funder: A fund that nobody knows\n"),
        "{said}"
    );
    assert!(said.contains("; strain C57BL/6J; béta, \"quoted\"; cage: 12; source: Jackson\n"), "{said}");
    assert!(said.contains("aind: 6 sessions, 90 trials compared\n"), "{said}");
}

#[test]
fn a_folder_of_aind_has_the_subject_and_when_the_session_ended_in_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject(folder.path(), "m-2_b");
    let number = simulated(&mut file, "free_water.star", 2, 1);
    let mut session = session(&file, number.get());
    let mut end = session.end.clone().unwrap();
    end.ended = "2026-03-04T06:00:01.9Z".parse().unwrap();
    session.end = Some(end);
    // It is night in the lab still.
    assert_eq!(Form::Aind.path(&session, &here()), Path::new("m-2-b_2026-03-03_22-00-01"));
}

#[test]
fn what_aind_wants_and_isnt_known_is_named_all_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject(folder.path(), "M001");
    empty(&mut file);
    let refused = |session: &Session, here: &bramble_export::Here| {
        let error = Form::Aind.export(session, here, folder.path(), Whether::ToKeep).unwrap_err();
        error.to_string()
    };
    file.edit_biography(&Biography::default(), &by()).unwrap();
    let unknown = session(&file, 1);
    let said = refused(&unknown, &here());
    for want in ["the species, which must be Mus musculus", "the sex", "the day of birth", "the genotype"] {
        assert!(said.contains(want), "{want}: {said}");
    }
    let mut rat = unknown.clone();
    rat.biography.species = "Rattus norvegicus".to_owned();
    assert!(refused(&rat, &here()).contains("another species than Rattus norvegicus"));
    let mut known = unknown.clone();
    known.biography = crate::sessions::biography();
    known.biography.birth = Some("2027-01-01".parse().unwrap());
    assert!(refused(&known, &here()).contains("2027-01-01, which is after the session"));
    known.biography.birth = Some("2026-01-01".parse().unwrap());
    let mut nobody = here();
    nobody.lab = Default::default();
    let said = refused(&known, &nobody);
    assert!(said.contains("investigators") && said.contains("project, in [lab]"), "{said}");
    nobody.lab.experimenters = vec!["Doe, Jane".to_owned()];
    nobody.lab.project = "a/b".to_owned();
    assert!(refused(&known, &nobody).contains("`a/b`"));
}

#[test]
fn the_organizations_that_are_known_are_those_of_aind() {
    let known = include_str!("../../src/aind/organizations.txt");
    let mut known: Vec<&str> = known.lines().collect();
    known.sort_unstable();
    let said = python("organizations", Path::new("."));
    assert_eq!(said.lines().collect::<Vec<_>>(), known);
}

#[test]
fn an_export_of_a_session_without_an_end_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject(folder.path(), "M001");
    odd(&mut file);
    let session = session(&file, 1);
    assert_eq!(session.end, None);
    let path = Form::Nwb.export(&session, &here(), folder.path(), Whether::ToKeep).unwrap();
    assert!(text(&path, "session_description").contains("Its end isn't known"));
    let number = simulated(&mut file, "free_water.star", 2, 1);
    let ended = crate::sessions::session(&file, number.get());
    assert_eq!(ended.end.as_ref().map(|end| end.ending), Some(Ending::Done));
    let path = Form::Nwb.export(&ended, &here(), folder.path(), Whether::ToKeep).unwrap();
    assert!(text(&path, "session_description").contains("It ended: done, enough"));
}

#[test]
fn an_animal_is_as_old_as_the_calendar_of_its_lab_says() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject(folder.path(), "M001");
    odd(&mut file);
    let mut session = session(&file, 1);
    // It is the 3rd in California still, and the 5th already on Kiritimati.
    for (started, hours, born, days) in
        [("2026-03-04T05:06:07Z", -8, "2026-03-01", 2), ("2026-03-04T12:00:00Z", 14, "2026-03-05", 0)]
    {
        session.start.started = started.parse().unwrap();
        session.biography.birth = Some(born.parse().unwrap());
        let mut here = here();
        here.zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(hours));
        let out = folder.path().join(hours.to_string());
        let path = Form::Nwb.export(&session, &here, &out, Whether::ToKeep).unwrap();
        assert_eq!(text(&path, "general/subject/age"), format!("P{days}D"));
        let table = Form::Csv.export(&session, &here, &out, Whether::ToKeep).unwrap();
        let about = std::fs::read_to_string(table.join("datapackage.json")).unwrap();
        let about: serde_json::Value = serde_json::from_str(&about).unwrap();
        assert_eq!(about["session"]["age_d"], days);
        let exported = Form::Aind.export(&session, &here, &out, Whether::ToKeep);
        assert!(exported.is_ok(), "{exported:?}");
    }
}

#[test]
fn a_session_is_exported_by_its_labs_calendar_wherever_that_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = subject(folder.path(), "M001");
    odd(&mut file);
    let mut session = session(&file, 1);
    session.start.started = "2026-03-04T05:06:07Z".parse().unwrap();
    session.biography.birth = Some("2026-03-01".parse().unwrap());
    session.start.provenance["terminal"]["settings"]["zone"] = "America/New_York".into();
    let mut elsewhere = here();
    elsewhere.zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(14));
    for (place, here) in [here(), elsewhere].iter().enumerate() {
        let out = folder.path().join(place.to_string());
        let path = Form::Nwb.export(&session, here, &out, Whether::ToKeep).unwrap();
        assert_eq!(text(&path, "session_start_time"), "2026-03-04T00:06:07.000000-05:00");
        assert_eq!(text(&path, "general/subject/age"), "P3D");
    }
    let path = Form::Aind.path(&session, &here());
    session.start.provenance["terminal"]["settings"]["zone"] = "nowhere that is known".into();
    assert_ne!(Form::Aind.path(&session, &here()), path, "there it is the time here");
}

#[test]
fn a_session_never_takes_the_folder_of_another_one_in_aind() {
    let folder = tempfile::tempdir().unwrap();
    let [first, second] = ["M_1", "M-1"].map(|id| {
        let mut file = subject(folder.path(), id);
        odd(&mut file);
        session(&file, 1)
    });
    let out = folder.path().join("out");
    let path = Form::Aind.export(&first, &here(), &out, Whether::ToKeep).unwrap();
    for whether in [Whether::ToKeep, Whether::ToReplace] {
        let error = Form::Aind.export(&second, &here(), &out, whether).unwrap_err().to_string();
        assert!(error.contains("has session 0001 of M_1") && error.contains("--out DIR"), "{error}");
    }
    assert_eq!(Form::Aind.export(&first, &here(), &out, Whether::ToReplace).unwrap(), path);
    Form::Aind.export(&second, &here(), &folder.path().join("other"), Whether::ToKeep).unwrap();
}

fn text(path: &Path, name: &str) -> String {
    let file = hdf5::File::open(path).unwrap();
    let text = file.dataset(name).unwrap().read_scalar::<hdf5::types::VarLenUnicode>();
    text.unwrap().to_string()
}
