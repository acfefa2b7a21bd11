use super::*;
use crate::named;

#[test]
fn a_temper_is_read_from_its_settings() {
    let temper: Temper = "bias=-0.5, thirst=1.5mL,lapse=0.1".parse().unwrap();
    assert_eq!((temper.bias, temper.lapse), (-0.5, 0.1));
    assert_eq!(temper.thirst.unwrap().microliters(), 1500.0);
    assert_eq!("".parse::<Temper>().unwrap(), Temper::default());
}

#[test]
fn a_setting_that_it_cannot_have_is_named() {
    for (text, says) in [
        ("learner:lapse=2", "from 0 to 1"),
        ("learner:thirst=much", "1.5mL"),
        ("learner:speed=1", "bias, lapse, learning"),
        ("learner:bias", "name=value"),
        ("lerner", "did you mean `learner`"),
        ("scripted:/nowhere/at/all", "/nowhere/at/all"),
    ] {
        let error = named(text, Seed(1), "").err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(says), "{text}: {error}");
    }
}

#[test]
fn a_memory_that_is_not_a_learner_s_is_refused() {
    let error = Learner::new(Temper::default(), Seed(1), "[1]").unwrap_err().to_string();
    assert!(error.contains("remembers"), "{error}");
}

#[test]
fn what_was_learned_on_another_rig_is_not_forgotten() {
    let memory = r#"{"light.up -> poke.up":2.0}"#;
    let learner = Learner::new(Temper::default(), Seed(1), memory).unwrap();
    assert_eq!(learner.memory(), memory);
}
