//! Where the terminal's commands and the session's news meet, each taken at once on the
//! thread that it comes on: the link's own, so that a command to a session that runs waits
//! for no other thread, and the session's, so that none is taken for one that runs which
//! has ended. What takes longer, and what waits for a disk, is left to the pilot's thread,
//! in its order.

use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bramble_link::{Event, Reply};
use bramble_message::{
    Answer, Command, LARGEST_PROBE, PilotInPassing, TerminalInPassing, TerminalToPilot, decode, encode,
};
use bramble_rig::{Post, Request};
use bramble_value::Time;

use crate::desk::{Asker, Course, Deed, Desk};
use crate::hand;
use crate::pilot::Input;
use crate::punctual::{Punctual, Said};
use crate::session::News;

/// What the link's thread and the pilot's have in common.
#[derive(Debug, Clone)]
pub(crate) struct Front {
    counter: Arc<Mutex<Counter>>,
    /// Those who work the rig from a page, once they are served.
    pages: Arc<OnceLock<hand::Far>>,
    /// Used by the link's thread alone.
    punctual: Arc<Mutex<Punctual>>,
}

/// The desk, and the way to what it decides about.
#[derive(Debug)]
pub(crate) struct Counter {
    pub(crate) desk: Desk,
    /// To the session that runs, or is got ready.
    pub(crate) post: Option<Post>,
}

impl Counter {
    /// Tells the session that runs, and says whether it is still there to be told.
    pub(crate) fn tell(&self, request: Request) -> bool {
        self.post.as_ref().is_some_and(|post| post.request(request))
    }

    /// Tells the session what is among the deeds for it, so that no command comes between,
    /// and leaves the others. Says whether it was there to be told.
    fn tell_first(&self, deeds: Vec<Deed>) -> (Vec<Deed>, bool) {
        let (mut left, mut told) = (Vec::new(), true);
        for deed in deeds {
            match deed {
                Deed::Tell(request) => told &= self.tell(request),
                deed => left.push(deed),
            }
        }
        (left, told)
    }

    /// The session that was got ready has started. Returns what is left to do.
    fn started(&mut self, course: Course) -> Vec<Deed> {
        let deeds = self.desk.started(course);
        self.tell_first(deeds).0
    }

    /// The session that was got ready can't be started. Returns what is left to do.
    pub(crate) fn refused(&mut self, why: &str) -> Vec<Deed> {
        self.post = None;
        self.desk.refused(why)
    }

    /// The session is over, or the hand let the rig go.
    pub(crate) fn over(&mut self) {
        self.desk.ended();
        self.post = None;
    }

    /// Does what a command asks for that can be done at once. What is left to do comes
    /// after it, and the answer, where there is one yet, after that.
    fn command(&mut self, from: &Asker, command: Command) -> (Vec<Deed>, Option<Answer>) {
        let deeds = self.desk.command(from, command);
        let (mut left, told) = self.tell_first(deeds);
        // A command has one answer, which comes last.
        let mut answer = match left.pop() {
            Some(Deed::Answer(answer)) => Some(answer),
            last => {
                left.extend(last);
                None
            }
        };
        if !told {
            left.retain(|deed| !matches!(deed, Deed::Set(_)));
            let why = "the session has just ended: it can't be changed any more".to_owned();
            answer = Some(Answer { ask: from.ask, outcome: Err(why) });
        }
        (left, answer)
    }
}

impl Front {
    pub(crate) fn new(desk: Desk) -> Front {
        Front {
            counter: Arc::new(Mutex::new(Counter { desk, post: None })),
            pages: Arc::default(),
            punctual: Arc::default(),
        }
    }

    /// From now on, whoever works the rig from a page is served there. Before, nobody is heard.
    pub(crate) fn serve_pages(&self, pages: hand::Far) {
        // It is done once.
        let _ = self.pages.set(pages);
    }

    pub(crate) fn counter(&self) -> MutexGuard<'_, Counter> {
        // Nothing that is done under the lock can leave it half changed.
        self.counter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hears what became of a session, on its thread, and leaves the rest to the pilot's.
    pub(crate) fn news(&self, news: News, inputs: &Sender<Input>) {
        let left = match &news {
            News::Started(course) => self.counter().started(Course::clone(course)),
            News::Refused(why) => self.counter().refused(why),
            News::Ended(..) | News::HandEnded => {
                self.counter().over();
                Vec::new()
            }
            News::Done => Vec::new(),
        };
        // Where nobody listens the pilot has ended.
        let _ = inputs.send(Input::Session(news, left));
    }

    /// Hears at this time what happens on the link to the terminal: takes commands, and leaves the
    /// rest to the pilot's thread. Returns what is to be said at once.
    pub(crate) fn hear(&self, event: Event, now: Time, inputs: &Sender<Input>) -> Option<Reply> {
        let (input, said) = match event {
            Event::Message { at, payload, .. } => match decode(&payload) {
                Ok(said) => {
                    let in_turn = self.punctual().take((at, said));
                    self.take(in_turn?, now)
                }
                Err(error) => {
                    tracing::error!("{error}");
                    (Input::Command { at, left: Vec::new(), answer: None }, None)
                }
            },
            // On this thread, so that nothing waits for it.
            Event::Passing { payload, .. } => return self.in_passing(&payload),
            Event::Clock { clock, .. } => {
                // Their answers come among what must arrive, which alone counts.
                let waited = self.punctual().hear(clock);
                waited.into_iter().for_each(|said| drop(inputs.send(self.take(said, now).0)));
                return None;
            }
            event => {
                if let Event::Up { .. } | Event::Down { .. } = event {
                    let waited = self.punctual().forget();
                    waited.into_iter().for_each(|said| drop(inputs.send(self.leave(said, now))));
                }
                if let (Event::Down { .. }, Some(pages)) = (&event, self.pages.get()) {
                    pages.down();
                }
                (Input::Terminal(event), None)
            }
        };
        // Where nobody listens the pilot has ended, and acknowledges nothing.
        let _ = inputs.send(input);
        said
    }

    /// Takes what the terminal said, in its turn. Returns what is left to do, and to be said at once.
    fn take(&self, (at, said): Said, now: Time) -> (Input, Option<Reply>) {
        let late = self.punctual().late(&said, now);
        match said {
            TerminalToPilot::Command { ask, by, take_over, command, .. } => {
                let (left, answer) = match late {
                    Some(late) => {
                        let why = format!("it came {:.1} s too late, and was not done", late.seconds());
                        (Vec::new(), Some(Answer { ask, outcome: Err(why) }))
                    }
                    None => self.counter().command(&Asker { ask, by, take_over }, command),
                };
                let passing = |answer| Reply::Passing(encode(&PilotInPassing::Answer(answer)));
                let said = answer.clone().map(passing);
                (Input::Command { at, left, answer }, said)
            }
            TerminalToPilot::Revoked { certificates } => (Input::Revoked { at, certificates }, None),
        }
    }

    /// Does nothing of what may be too late by a clock that nobody knows any more.
    fn leave(&self, (at, said): Said, now: Time) -> Input {
        match said {
            TerminalToPilot::Command { ask, not_after: Some(_), .. } => {
                let why = "the link broke before it was known whether it came in time, and it was not done";
                let answer = Some(Answer { ask, outcome: Err(why.to_owned()) });
                Input::Command { at, left: Vec::new(), answer }
            }
            said => self.take((at, said), now).0,
        }
    }

    fn punctual(&self) -> MutexGuard<'_, Punctual> {
        // Nothing that is done under the lock can leave it half changed.
        self.punctual.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the terminal says in passing. One of another version may say what this pilot doesn't know.
    fn in_passing(&self, payload: &[u8]) -> Option<Reply> {
        match decode(payload).ok()? {
            TerminalInPassing::Probe { probe, answer, .. } => probed(probe, answer),
            TerminalInPassing::Hand { lease, says } => {
                if let Some(pages) = self.pages.get() {
                    pages.hear(lease, says);
                }
                None
            }
        }
    }
}

/// The answer to a probe of the link, which wants so many bytes.
fn probed(probe: u64, answer: u32) -> Option<Reply> {
    let size = usize::try_from(answer).ok().filter(|size| *size <= LARGEST_PROBE)?;
    let filler = vec![0; size].into();
    Some(Reply::Passing(encode(&PilotInPassing::Probed { probe, filler })))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::{Receiver, channel};

    use bramble_link::{Clock, Gone, Position};
    use bramble_message::{Ask, PortName};
    use bramble_rig::{Inbox, Wiring, inbox};
    use bramble_value::{Ending, Sources, Span, Volume};
    use uuid::Uuid;

    use super::*;
    use crate::requested::requested;

    const TASK: &str = r#"
valve = hardware(solenoid)
task(stages = trials(body = state("wait", after = {"1 s": done})))
"#;

    fn sources() -> Sources {
        Sources { root: "t.star".into(), files: [("t.star".to_owned(), TASK.to_owned())].into() }
    }

    fn course() -> Course {
        let task = bramble_task::load(&sources()).unwrap().definition;
        Course { wiring: Wiring::simulated(&task).unwrap(), task }
    }

    fn start(session: u128) -> Command {
        Command::Start(Box::new(requested(session, sources())))
    }

    fn reward(session: u128) -> Command {
        let port = PortName { device: "valve".parse().unwrap(), port: None };
        Command::Reward {
            session: Uuid::from_u128(session),
            port,
            volume: Volume::from_microliters(3.0).unwrap(),
        }
    }

    /// A front, and what it leaves to the pilot's thread, which does nothing by itself here.
    struct Alone {
        front: Front,
        inputs: Sender<Input>,
        left: Receiver<Input>,
        asked: u64,
        not_after: Option<Time>,
    }

    impl Alone {
        /// Session 1 runs, or is got ready.
        fn new(runs: bool) -> (Alone, Inbox) {
            let (inputs, left) = channel();
            let front = Front::new(Desk::new("box1".parse().unwrap(), std::iter::empty()));
            let mut alone = Alone { front, inputs, left, asked: 0, not_after: None };
            assert_eq!(alone.command(start(1)), None);
            let (post, inbox) = inbox();
            alone.front.counter().post = Some(post);
            if runs {
                alone.news(News::Started(Box::new(course())));
            }
            (alone, inbox)
        }

        /// What is answered at once.
        fn command(&mut self, command: Command) -> Option<Result<(), String>> {
            self.asked += 1;
            let by = "alice@desk".parse().unwrap();
            let (ask, not_after) = (Ask(self.asked), self.not_after);
            let message = TerminalToPilot::Command { ask, by, take_over: false, not_after, command };
            let at = Position { epoch: Uuid::nil(), number: self.asked };
            let payload = encode(&message);
            self.hear(Event::Message { peer: desk(), at, payload }).map(|said| match said {
                Reply::Passing(said) => match decode(&said) {
                    Ok(PilotInPassing::Answer(answer)) => answer.outcome,
                    other => panic!("{other:?}"),
                },
                other => panic!("{other:?}"),
            })
        }

        /// The link's thread hears this at this pilot's second ten.
        fn hear(&self, event: Event) -> Option<Reply> {
            self.front.hear(event, Time::from_ns(10_000_000_000), &self.inputs)
        }

        fn news(&self, news: News) {
            self.front.news(news, &self.inputs);
        }

        /// The session that the pilot's thread has yet to get ready, of all that is left to it.
        fn to_start(&self) -> Vec<Uuid> {
            let deeds = self.left.try_iter().flat_map(|input| match input {
                Input::Command { left, .. } | Input::Session(_, left) => left,
                other => panic!("{other:?}"),
            });
            deeds
                .filter_map(|deed| match deed {
                    Deed::Start(request) => Some(request.session),
                    _ => None,
                })
                .collect()
        }
    }

    fn ended() -> News {
        News::Ended(Ending::Done, Arc::from("all is done"))
    }

    #[test]
    fn a_probe_of_the_link_is_answered_at_once_with_as_much_as_was_asked_for() {
        let (alone, _inbox) = Alone::new(true);
        let probe = |answer| {
            let probe = TerminalInPassing::Probe { probe: 3, answer, filler: vec![1; 100].into() };
            let event = Event::Passing { peer: "desk".parse().unwrap(), payload: encode(&probe) };
            alone.hear(event)
        };
        let Some(Reply::Passing(said)) = probe(1000) else { panic!() };
        let Ok(PilotInPassing::Probed { probe: 3, filler }) = decode(&said) else { panic!() };
        assert_eq!(filler.len(), 1000);
        assert_eq!(probe(u32::MAX), None, "nobody has it take memory");
    }

    fn desk() -> bramble_value::Name {
        "desk".parse().unwrap()
    }

    /// The terminal's clock is that many seconds ahead of this pilot's.
    fn ahead(seconds: i64) -> Event {
        let (error, round_trip) = (Span::from_ns(20_000), Span::from_ns(50_000));
        let (at, offset_ns) = (Time::from_ns(10_000_000_000), seconds * 1_000_000_000);
        let clock = Clock { at, offset_ns, error, drift_ppb: 0, drift_error_ppb: 0, round_trip };
        Event::Clock { peer: desk(), clock }
    }

    #[test]
    fn what_comes_after_whoever_asked_has_given_up_is_not_done() {
        let (mut alone, inbox) = Alone::new(true);
        alone.hear(ahead(1000));
        alone.not_after = Some(Time::from_ns(1_007_500_000_000));
        let late = alone.command(reward(1)).unwrap().unwrap_err();
        assert_eq!(late, "it came 2.5 s too late, and was not done");
        assert!(!matches!(inbox.look(), Ok(Some(_))), "no water was given");
        alone.not_after = Some(Time::from_ns(1_010_100_000_000));
        assert_eq!(alone.command(reward(1)), Some(Ok(())));
    }

    #[test]
    fn what_comes_before_the_terminals_clock_is_known_waits_for_it_in_its_order() {
        let (mut alone, inbox) = Alone::new(true);
        alone.not_after = Some(Time::from_ns(1_007_500_000_000));
        assert_eq!(alone.command(reward(1)), None);
        alone.not_after = None;
        assert_eq!(alone.command(reward(1)), None, "what is asked later is done later");
        alone.left.try_iter().for_each(drop);
        alone.hear(ahead(1000));
        let outcomes: Vec<bool> = alone
            .left
            .try_iter()
            .map(|input| match input {
                Input::Command { answer: Some(answer), .. } => answer.outcome.is_ok(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(outcomes, [false, true]);
        assert!(matches!(inbox.look(), Ok(Some(bramble_rig::Happening::Request(Request::Water { .. })))));
        // Another terminal's clock is another, and says nothing of what waited.
        alone.hear(Event::Down { peer: desk(), why: Gone::Left });
        alone.not_after = Some(Time::from_ns(12_000_000_000));
        assert_eq!(alone.command(reward(1)), None);
        alone.hear(Event::Down { peer: desk(), why: Gone::Left });
        alone.hear(ahead(-1000));
        assert!(!matches!(inbox.look(), Ok(Some(_))), "it may have come too late");
        alone.hear(Event::Down { peer: desk(), why: Gone::Left });
        assert_eq!(alone.command(reward(1)), None);
        alone.hear(ahead(0));
        assert!(matches!(inbox.look(), Ok(Some(bramble_rig::Happening::Request(Request::Water { .. })))));
    }

    #[test]
    fn a_reward_is_given_as_soon_as_a_session_has_started() {
        let (mut alone, inbox) = Alone::new(false);
        let early = alone.command(reward(1)).unwrap().unwrap_err();
        assert!(early.contains("still starting"), "{early}");
        alone.news(News::Started(Box::new(course())));
        assert_eq!(alone.command(reward(1)), Some(Ok(())));
        assert!(matches!(inbox.look(), Ok(Some(bramble_rig::Happening::Request(Request::Water { .. })))));
    }

    #[test]
    fn a_session_that_has_just_ended_takes_no_reward_and_leaves_room_for_the_next() {
        let (mut alone, inbox) = Alone::new(true);
        alone.news(ended());
        let late = alone.command(reward(1)).unwrap().unwrap_err();
        assert!(late.contains("the session has ended"), "{late}");
        assert!(!matches!(inbox.look(), Ok(Some(_))), "it was not asked");
        assert_eq!(alone.command(start(2)), None);
        assert_eq!(alone.to_start(), [Uuid::from_u128(1), Uuid::from_u128(2)]);
    }

    #[test]
    fn a_session_that_could_not_be_started_leaves_room_for_the_next() {
        let (mut alone, _inbox) = Alone::new(false);
        alone.news(News::Refused("the rig has no valve".into()));
        let late = alone.command(reward(1)).unwrap().unwrap_err();
        assert!(late.contains("runs no session"), "{late}");
        assert_eq!(alone.command(start(2)), None);
        assert_eq!(alone.to_start(), [Uuid::from_u128(1), Uuid::from_u128(2)]);
    }
}
