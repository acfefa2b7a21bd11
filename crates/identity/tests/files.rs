//! Keys and certificates on disk.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use bramble_identity::{Agent, Authority, Identity, IdentityError, Request, Revocations, Role, Wrong};
use bramble_value::Name;

fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

fn pilot(text: &str) -> Agent {
    Agent::new(Role::Pilot, name(text))
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).expect("a file").permissions().mode() & 0o777
}

#[test]
fn an_authority_is_made_once_and_is_the_same_at_every_start() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    assert!(Authority::load(&keys).unwrap().is_none());
    let first = Authority::open(&keys).unwrap();
    let again = Authority::open(&keys).unwrap();
    assert_eq!((first.swarm(), first.certificate()), (again.swarm(), again.certificate()));
    // What the one issued, the other has issued too.
    let identity = first.enrol(&pilot("box1")).unwrap();
    let other = again.enrol(&pilot("box2")).unwrap();
    assert_eq!(identity.peer(&[other.certificate().into()]).unwrap().agent, pilot("box2"));
}

#[test]
fn a_terminals_identity_stays_until_the_terminal_gets_another_name() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::open(folder.path()).unwrap();
    let desk = authority.terminal(folder.path(), &name("desk")).unwrap();
    assert_eq!(authority.terminal(folder.path(), &name("desk")).unwrap().serial(), desk.serial());
    let renamed = authority.terminal(folder.path(), &name("lab")).unwrap();
    assert_eq!(renamed.agent(), &Agent::new(Role::Terminal, name("lab")));
    assert_eq!(Identity::load(folder.path()).unwrap().unwrap().serial(), renamed.serial());
}

#[test]
fn secrets_are_for_their_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    let authority = Authority::open(&keys).unwrap();
    authority.enrol(&pilot("box1")).unwrap().save(&keys).unwrap();
    Revocations::load(&keys).unwrap().revoke([authority.enrol(&pilot("box2")).unwrap().serial()]).unwrap();
    assert_eq!(mode(&keys), 0o700);
    let mut files: Vec<_> = std::fs::read_dir(&keys).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let names: Vec<_> = files.iter().map(|file| file.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["authority.pem", "identity.pem", "revoked"], "and nothing is left behind");
    for file in &files {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
    // Where others could read a key, it may be theirs too.
    std::fs::set_permissions(&files[1], std::fs::Permissions::from_mode(0o644)).unwrap();
    let refused = Identity::load(&keys).unwrap_err();
    assert!(matches!(refused, IdentityError::OpenToOthers { .. }), "{refused}");
    assert!(refused.to_string().contains("chmod 600"), "{refused}");
}

#[test]
fn a_file_that_is_cut_or_put_together_wrongly_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new().unwrap();
    authority.enrol(&pilot("box1")).unwrap().save(folder.path()).unwrap();
    let path = folder.path().join("identity.pem");
    let whole = std::fs::read_to_string(&path).unwrap();
    for length in (0..whole.len()).step_by(37) {
        std::fs::write(&path, &whole[..length]).unwrap();
        let refused = Identity::load(folder.path()).unwrap_err();
        assert!(matches!(refused, IdentityError::Damaged { .. }), "{length}: {refused}");
    }
    let end = "-----END PRIVATE KEY-----\n";
    let (_, certificates) = whole.split_once(end).unwrap();
    authority.enrol(&pilot("box2")).unwrap().save(folder.path()).unwrap();
    let other = std::fs::read_to_string(&path).unwrap();
    let (other_key, _) = other.split_once(end).unwrap();
    std::fs::write(&path, format!("{other_key}{end}{certificates}")).unwrap();
    let Err(IdentityError::Damaged { why, .. }) = Identity::load(folder.path()) else { panic!("it fits") };
    assert_eq!(why, Wrong::OtherKey);
}

#[test]
fn a_certificate_that_another_swarm_issued_makes_no_identity() {
    let (ours, theirs) = (Authority::new().unwrap(), Authority::new().unwrap());
    let request = Request::new().unwrap();
    let issued = theirs.issue(&request.csr().unwrap(), &pilot("box1")).unwrap();
    let refused = request.into_identity(&issued.certificate, ours.certificate()).unwrap_err();
    assert!(matches!(refused, IdentityError::Wrong(Wrong::NotSigned)), "{refused}");
}

#[test]
fn a_request_that_is_not_signed_with_its_own_key_gets_no_certificate() {
    let authority = Authority::new().unwrap();
    let csr = Request::new().unwrap().csr().unwrap();
    // What is signed: a DER header of three bytes, then a sequence of short length.
    let signed = 3..5 + usize::from(csr[4]);
    for at in signed {
        let mut other = csr.clone();
        other[at] ^= 1;
        assert!(authority.issue(&other, &pilot("box1")).is_err(), "byte {at} can be changed");
    }
    assert!(authority.issue(b"", &pilot("box1")).is_err());
}

#[test]
fn what_was_revoked_stays_revoked_and_is_heard_of_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new().unwrap();
    let [one, two] = ["box1", "box2"].map(|name| authority.enrol(&pilot(name)).unwrap().serial());
    let revocations = Revocations::load(folder.path()).unwrap();
    let shared = revocations.clone();
    let waiting = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(shared.revoked(two));
    });
    revocations.revoke([one]).unwrap();
    revocations.revoke([two, one]).unwrap();
    waiting.join().unwrap();
    let again = Revocations::load(folder.path()).unwrap();
    assert!(again.contains(one) && again.contains(two));
    assert_eq!(again.all(), revocations.all());
    std::fs::write(folder.path().join("revoked"), "box1\n").unwrap();
    let refused = Revocations::load(folder.path()).unwrap_err().to_string();
    assert!(refused.contains("`box1` is no certificate's number"), "{refused}");
}

#[test]
fn what_could_not_be_written_down_is_written_with_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    let authority = Authority::new().unwrap();
    let one = authority.enrol(&pilot("box1")).unwrap().serial();
    let revocations = Revocations::load(&keys).unwrap();
    std::fs::write(&keys, "no folder can be made here").unwrap();
    for _ in 0..2 {
        revocations.revoke([one]).unwrap_err();
        assert!(revocations.contains(one), "it holds in this process");
    }
    std::fs::remove_file(&keys).unwrap();
    revocations.revoke([]).unwrap();
    assert!(Revocations::load(&keys).unwrap().contains(one));
}

#[test]
fn an_agent_that_is_renamed_keeps_its_key() {
    let authority = Authority::new().expect("there is randomness");
    let issued = |identity: &Identity, role, name: &str| {
        let agent = Agent::new(role, self::name(name));
        authority.issue_again(identity.certificate(), &agent).expect("a certificate").certificate
    };
    let box1 = authority.enrol(&pilot("box1")).expect("an identity");
    let box2 = box1.renamed(&issued(&box1, Role::Pilot, "box2")).expect("it fits");
    assert_eq!(box2.agent(), &pilot("box2"));
    assert_ne!(box2.serial(), box1.serial());

    let other = authority.enrol(&pilot("box3")).expect("an identity");
    assert!(box1.renamed(other.certificate()).is_err(), "it is for another key");
    assert!(box1.renamed(&issued(&box1, Role::Child, "box2")).is_err(), "a pilot stays one");
    let elsewhere = Authority::new().expect("there is randomness");
    let elsewhere = elsewhere.issue_again(box1.certificate(), &pilot("box2")).expect("a certificate");
    assert!(box1.renamed(&elsewhere.certificate).is_err(), "it is of another swarm");
}
