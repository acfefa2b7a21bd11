//! The words of the task language: a table, from which they are bound to their
//! arguments, checked, suggested and documented.

use super::methods::METHODS;
use crate::definition::DeviceKind;

/// One word: something that can be written in a task file.
#[derive(Debug)]
pub(crate) struct Word {
    /// As it is written.
    pub(crate) name: &'static str,
    /// What it says.
    pub(crate) verb: Verb,
    /// What it is said of.
    pub(crate) of: Of,
    /// Whether it takes arguments in parentheses.
    pub(crate) called: bool,
    /// Its arguments.
    pub(crate) params: &'static [Param],
    /// The name of what it takes any number of.
    pub(crate) rest: Option<&'static str>,
    /// What arguments with names of one's own are.
    pub(crate) named: Option<&'static str>,
    /// What it does, in a sentence.
    pub(crate) doc: &'static str,
}

/// An argument.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Param {
    pub(crate) name: &'static str,
    pub(crate) required: bool,
    /// It may only be given by its name.
    pub(crate) by_name: bool,
}

/// What a word is said of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    /// Nothing: it stands alone.
    Nothing,
    /// A device, or a port of one, of one of these kinds.
    Device(&'static [DeviceKind]),
    /// Something that is the case or not.
    Level,
    /// An encoder's `.speed`.
    Speed,
    /// A column.
    Column,
    /// A timer.
    Timer,
    /// A counter.
    Counter,
    /// `event`.
    Event,
}

macro_rules! verbs {
    ($($verb:ident)*) => {
        /// What a word says.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum Verb { $($verb),* }
    };
}

verbs! {
    Param Hardware Column Timer Counter Message Task
    Duration Volume Number Integer Integers Boolean Choice Frequency Level
    DigitalInput AnalogInput DigitalOutput LevelOutput Solenoid Encoder Display Sound Camera
    State Delay Gate PulseStage PlayStage Call Record Sequence Parallel States Trials
    Forever AllOf AnyOf
    Uniform Normal Exponential Tone Noise Grating
    Goto Done Next Emit StopSession
    StateTime Event EventPort EventTime EventValue Since Other Last Count
    Port On Off Open Pulse Train Series Play Stop Show Follow Center Freeze Clear Zero Film
    Rises Falls Changes High Low Above Below Between Beyond Still Speed SpeedAbove SpeedBelow Lasts Ends
    StartTimer StopTimer TimerEnds Running Reaches Reset
    Points Line RollingMean Spans Psychometric
}

pub(super) const fn req(name: &'static str) -> Param {
    Param { name, required: true, by_name: false }
}

pub(super) const fn opt(name: &'static str) -> Param {
    Param { name, required: false, by_name: false }
}

pub(super) const fn named(name: &'static str) -> Param {
    Param { name, required: false, by_name: true }
}

const fn word(name: &'static str, verb: Verb, params: &'static [Param], doc: &'static str) -> Word {
    Word { name, verb, of: Of::Nothing, called: true, params, rest: None, named: None, doc }
}

const fn plain(name: &'static str, verb: Verb, doc: &'static str) -> Word {
    Word { called: false, ..word(name, verb, &[], doc) }
}

pub(super) const fn of(
    of: Of,
    name: &'static str,
    verb: Verb,
    params: &'static [Param],
    doc: &'static str,
) -> Word {
    Word { of, ..word(name, verb, params, doc) }
}

pub(super) const fn attribute(of: Of, name: &'static str, verb: Verb, doc: &'static str) -> Word {
    Word { of, called: false, ..word(name, verb, &[], doc) }
}

const fn many(rest: &'static str, word: Word) -> Word {
    Word { rest: Some(rest), ..word }
}

const fn stage<const N: usize>(
    name: &'static str,
    verb: Verb,
    params: &'static [Param; N],
    doc: &'static str,
) -> Word {
    word(name, verb, params, doc)
}

/// What every stage can be given, after arguments of its own.
macro_rules! stage_params {
    ($($own:expr),*) => {
        &[$($own,)* named("name"), named("repeat"), named("repeat_timeout"), named("timeout"), named("skip_if"),
          named("disabled"), named("during"), named("enter"), named("leave"), named("on"), named("after"), named("then")]
    };
}

const RANGE: &[Param] = &[opt("default"), named("min"), named("max")];
const BOUNDS: [Param; 4] = [named("min"), named("max"), named("plus"), named("whole")];

/// The words that stand alone.
pub(crate) const WORDS: &[Word] = &[
    // Declarations.
    word(
        "param",
        Verb::Param,
        &[req("type"), named("min"), named("max"), named("doc"), named("live"), named("name")],
        "A parameter: `param(duration(\"1 s\"))`. `live`: it may be changed during a session, and takes effect with the next trial.",
    ),
    word(
        "hardware",
        Verb::Hardware,
        &[req("kind"), named("ports"), named("unit"), named("doc"), named("name")],
        "A device, or with `ports` a group of like devices: `hardware(digital_input, ports = [\"left\", \"right\"])`.",
    ),
    word(
        "column",
        Verb::Column,
        &[req("type"), named("doc"), named("carry"), named("keep"), named("name")],
        "A column of the trial table. `carry = first`: each trial starts with the value the last one ended with; `keep = True`: from the subject's last session on.",
    ),
    word("timer", Verb::Timer, &[named("name")], "A timer that any stage may start, stop and wait for."),
    word(
        "counter",
        Verb::Counter,
        &[req("event"), named("name")],
        "Counts an event, whatever stage is active: `counter(lick.rises)`.",
    ),
    word(
        "message",
        Verb::Message,
        &[req("name"), named("button")],
        "A message, from the page, a child or `emit`. It stands where an event is wanted. `button = True`: the page shows a button for it.",
    ),
    word(
        "task",
        Verb::Task,
        &[opt("stages"), named("plot"), named("name")],
        "The task itself, once in a file.",
    ),
    // Types.
    word(
        "duration",
        Verb::Duration,
        RANGE,
        "A length of time: `duration(\"200 ms\")`; units ns, us, ms, s, min, h.",
    ),
    word("volume", Verb::Volume, RANGE, "A volume: `volume(\"4 uL\")`; units nL, uL, mL."),
    word("number", Verb::Number, RANGE, "A number without a unit: `number(0.8, min = 0, max = 1)`."),
    word("integer", Verb::Integer, RANGE, "A whole number: `integer(10)`."),
    word(
        "integers",
        Verb::Integers,
        &[req("least"), req("most")],
        "A range of whole numbers to draw from, ends included: `integers(5, 15)`.",
    ),
    word("boolean", Verb::Boolean, &[opt("default")], "True or False: `boolean(True)`."),
    word(
        "choice",
        Verb::Choice,
        &[req("names"), opt("default")],
        "One of these names: `choice([\"left\", \"right\"])`; a parameter's default is the first, or the second argument.",
    ),
    word("frequency", Verb::Frequency, RANGE, "A frequency: `frequency(\"5 kHz\")`; units Hz, kHz, MHz."),
    word(
        "level",
        Verb::Level,
        RANGE,
        "A share from 0 to 1, of brightness or loudness: `level(0.5)` or `level(\"50 %\")`.",
    ),
    // Kinds of devices.
    plain("digital_input", Verb::DigitalInput, "High or low: a poke, a lick, a beam, a lever."),
    plain("analog_input", Verb::AnalogInput, "A number: a load cell, a photodiode."),
    plain("digital_output", Verb::DigitalOutput, "On or off: a light, a motor, a trigger to a camera."),
    plain("level_output", Verb::LevelOutput, "On at a level from 0 to 1: a light that can be dimmed, a fan."),
    plain("solenoid", Verb::Solenoid, "A valve that gives liquid."),
    plain("encoder", Verb::Encoder, "A wheel: a position."),
    plain("display", Verb::Display, "A screen."),
    plain("sound", Verb::Sound, "A speaker."),
    plain("camera", Verb::Camera, "A camera."),
    // Stages.
    stage(
        "state",
        Verb::State,
        stage_params![opt("name")],
        "A stage that lasts until an event (`on`) or a time (`after`) leads away from it.",
    ),
    stage("delay", Verb::Delay, stage_params![req("time")], "A stage that lasts this long."),
    stage(
        "gate",
        Verb::Gate,
        stage_params![req("condition"), named("hold"), named("use_initial")],
        "A stage that waits until something is the case, for as long as `hold`. `use_initial = False`: only what changes from now on counts.",
    ),
    stage(
        "pulse",
        Verb::PulseStage,
        stage_params![req("device"), req("time")],
        "A stage that drives an output for a time and ends with it.",
    ),
    stage(
        "play",
        Verb::PlayStage,
        stage_params![req("device"), req("sound")],
        "A stage that plays a sound and ends with it.",
    ),
    stage(
        "call",
        Verb::Call,
        stage_params![req("function")],
        "A stage that does what a function of the trial returns, and ends.",
    ),
    Word {
        named: Some("column"),
        ..word(
            "record",
            Verb::Record,
            &[],
            "Writes columns: `record(latency = state_time)`. An action, or a stage of its own.",
        )
    },
    many(
        "stages",
        stage("sequence", Verb::Sequence, stage_params![named("complete_on")], "Stages one after the other."),
    ),
    many("stages", stage("parallel", Verb::Parallel, stage_params![named("complete_on")], "Stages at once.")),
    many(
        "stages",
        stage(
            "states",
            Verb::States,
            stage_params![],
            "Stages of which one is active, the first of them first, joined by `goto`.",
        ),
    ),
    stage(
        "trials",
        Verb::Trials,
        stage_params![named("body"), named("prepare"), named("until")],
        "A repetition whose every turn is a trial, a row of the table. `prepare` returns columns before it, `until` is asked after it.",
    ),
    plain("forever", Verb::Forever, "For `repeat`: without end."),
    many(
        "names",
        word(
            "all_of",
            Verb::AllOf,
            &[],
            "For `complete_on`: when all of these children are done. Also \"all\".",
        ),
    ),
    many(
        "names",
        word(
            "any_of",
            Verb::AnyOf,
            &[],
            "For `complete_on`: when one of these children is done. Also \"any\"; \"never\" ends it only from outside.",
        ),
    ),
    // Values drawn or known later.
    word(
        "uniform",
        Verb::Uniform,
        &[req("low"), req("high"), BOUNDS[0], BOUNDS[1], BOUNDS[2], BOUNDS[3]],
        "Drawn anew each time: as likely anywhere from `low` to `high`.",
    ),
    word(
        "normal",
        Verb::Normal,
        &[req("mean"), req("deviation"), BOUNDS[0], BOUNDS[1], BOUNDS[2], BOUNDS[3]],
        "Drawn anew each time from a normal distribution. Bounds cut it: nothing gathers at them.",
    ),
    word(
        "exponential",
        Verb::Exponential,
        &[req("mean"), BOUNDS[0], BOUNDS[1], BOUNDS[2], BOUNDS[3]],
        "Drawn anew each time from an exponential distribution of this mean (before its bounds). `plus` is added, `whole = True` rounds.",
    ),
    word("tone", Verb::Tone, &[req("frequency"), opt("duration"), opt("level")], "A pure tone, for a sound."),
    word("noise", Verb::Noise, &[opt("duration"), opt("level")], "White noise, for a sound."),
    word("grating", Verb::Grating, &[opt("side"), opt("contrast")], "A grating on one side, for a display."),
    plain(
        "state_time",
        Verb::StateTime,
        "How long the stage has been active; in a handler, until its event.",
    ),
    plain("event", Verb::Event, "The event being handled: `event.port`, `event.time`, `event.value`."),
    word("since", Verb::Since, &[req("state")], "How long since this stage was last entered in this trial."),
    // Transitions and actions.
    word("goto", Verb::Goto, &[req("state")], "Leads to another child of the same `states`."),
    plain("done", Verb::Done, "Ends the innermost `states` around the stage (in `trials`: the trial)."),
    plain("next", Verb::Next, "Ends the stage: what follows it is next."),
    word(
        "emit",
        Verb::Emit,
        &[req("message")],
        "Sends a message, which waits behind the events that are pending.",
    ),
    word("stop", Verb::StopSession, &[req("why")], "Stops the session, saying why."),
    // Plots.
    many("columns", word("points", Verb::Points, &[], "A plot: a point for each trial.")),
    many("columns", word("line", Verb::Line, &[], "A plot: a line through the trials.")),
    word(
        "rolling_mean",
        Verb::RollingMean,
        &[req("column"), named("of"), named("window")],
        "A plot: the mean over a window of trials, or the share of the value `of`.",
    ),
    word(
        "spans",
        Verb::Spans,
        &[req("column"), named("of")],
        "A plot: a shade while the column is true, or has the value `of`.",
    ),
    word(
        "psychometric",
        Verb::Psychometric,
        &[req("stimulus"), req("response"), named("of")],
        "A plot: the share of a response against the stimulus.",
    ),
];

/// A device or port as a word of its own.
pub(crate) static PORT: Word = word("port", Verb::Port, &[req("port")], "One port of a device.");

/// What can be said of something: of a device, of its kind.
pub(crate) fn methods_of(class: Of) -> impl Iterator<Item = &'static Word> {
    METHODS.iter().filter(move |word| match (word.of, class) {
        (Of::Device(kinds), Of::Device([kind])) => kinds.contains(kind),
        (of, class) => of == class,
    })
}

impl Verb {
    /// The kind of device that this word names.
    pub(crate) fn device_kind(self) -> Option<DeviceKind> {
        Some(match self {
            Verb::DigitalInput => DeviceKind::DigitalInput,
            Verb::AnalogInput => DeviceKind::AnalogInput,
            Verb::DigitalOutput => DeviceKind::DigitalOutput,
            Verb::LevelOutput => DeviceKind::LevelOutput,
            Verb::Solenoid => DeviceKind::Solenoid,
            Verb::Encoder => DeviceKind::Encoder,
            Verb::Display => DeviceKind::Display,
            Verb::Sound => DeviceKind::Sound,
            Verb::Camera => DeviceKind::Camera,
            _ => return None,
        })
    }

    /// Whether it declares something, and so belongs to the file, not to a function.
    pub(crate) fn declares(self) -> bool {
        matches!(
            self,
            Verb::Param
                | Verb::Hardware
                | Verb::Column
                | Verb::Timer
                | Verb::Counter
                | Verb::Message
                | Verb::Task
        )
    }

    /// Whether it makes a stage and nothing else.
    pub(crate) fn is_stage(self) -> bool {
        matches!(
            self,
            Verb::State
                | Verb::Delay
                | Verb::Gate
                | Verb::PulseStage
                | Verb::PlayStage
                | Verb::Call
                | Verb::Sequence
                | Verb::Parallel
                | Verb::States
                | Verb::Trials
        )
    }
}
