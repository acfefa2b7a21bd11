//! One hand's WebSocket.

use std::sync::Arc;
use std::time::Duration;

use bramble_link::{LARGEST_PASSING, Line};
use bramble_message::{HandSays, HandTold, TerminalInPassing, encode};
use bramble_value::{Name, Person};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message};
use uuid::Uuid;

use super::wire::{HandAsks, HandTells};
use crate::desk::Desk;

/// How long a pilot may take to say its first beat.
const PATIENCE: Duration = Duration::from_secs(3);

/// The longest that may be asked, in bytes: what is longer would be lost on the way.
const LONGEST: usize = LARGEST_PASSING / 2;

/// Passes on what a page asks of a pilot's rig and what it is told, until the page goes, the pilot
/// does, or `allowed` says that it must.
pub(crate) async fn hold<S: AsyncRead + AsyncWrite + Send + Unpin>(
    mut socket: WebSocketStream<S>,
    desk: Arc<Desk>,
    pilot: Name,
    by: Person,
    allowed: impl Fn() -> bool + Send,
) {
    let mut held = desk.hands.begin(pilot.clone());
    // Dropped however this ends, so that the pilot hears of it at once.
    let to = To { line: desk.link.line(&pilot), lease: held.lease };
    to.say(HandSays::Begin { by });
    let why = match timeout(PATIENCE, held.told.recv()).await {
        Ok(Some(first)) => {
            let mut next = 1;
            pass(&mut socket, &mut held, &to, &allowed, first, &mut next).await
        }
        Ok(None) => format!("{pilot} is away"),
        Err(_) => format!(
            "{pilot} doesn't answer: it is away, or its Bramble is older than this terminal's and can't be \
             worked from here"
        ),
    };
    // A page that has gone is told nothing.
    let _ = send(&mut socket, &HandTells::Over(why)).await;
    let _ = socket.close(None).await;
}

/// Until it is over; why.
async fn pass<S: AsyncRead + AsyncWrite + Send + Unpin>(
    socket: &mut WebSocketStream<S>,
    held: &mut super::Held,
    to: &To,
    allowed: &(impl Fn() -> bool + Send),
    first: HandTold,
    next: &mut u64,
) -> String {
    let gone = || "the page is gone".to_owned();
    let mut told = Some(first);
    loop {
        if let Some(told) = told.take() {
            let tells = match read(told, next) {
                Ok(HandTells::Over(why)) | Err(why) => return why,
                Ok(tells) => tells,
            };
            if send(socket, &tells).await.is_err() {
                return gone();
            }
        }
        tokio::select! {
            heard = held.told.recv() => match heard {
                Some(more) => told = Some(more),
                None => return "its pilot is away, or the page did not read what it was told".to_owned(),
            },
            said = socket.next() => match said {
                Some(Ok(Message::Text(text))) => {
                    if !allowed() {
                        return "who has logged in may do this no more".to_owned();
                    }
                    match serde_json::from_str::<HandAsks>(&text) {
                        Ok(HandAsks { beat, ask }) => {
                            let ask = ask.map(|ask| ask.to_string());
                            if ask.as_ref().is_some_and(|ask| ask.len() > LONGEST) {
                                return format!("what was asked is longer than {LONGEST} bytes");
                            }
                            to.say(HandSays::Heard { beat, ask });
                        }
                        Err(error) => return format!("what was asked can't be read: {error}"),
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return gone(),
                Some(Ok(_)) => {}
            },
        }
    }
}

/// What a pilot told, for the page.
fn read(told: HandTold, next: &mut u64) -> Result<HandTells, String> {
    match told {
        HandTold::Beat(beat) => Ok(HandTells::Beat(beat)),
        HandTold::Over { why } => Ok(HandTells::Over(why)),
        HandTold::Told { number, .. } if number != *next => {
            Err("something of what the pilot told was lost on the way".to_owned())
        }
        HandTold::Told { told, .. } => {
            *next += 1;
            let told: Result<Vec<serde_json::Value>, _> =
                told.iter().map(|told| serde_json::from_str(told)).collect();
            told.map(HandTells::Told).map_err(|error| format!("what the pilot told can't be read: {error}"))
        }
    }
}

/// The way to the pilot, which hears of the end when this is dropped.
struct To {
    line: Line,
    lease: Uuid,
}

impl To {
    fn say(&self, says: HandSays) {
        // It fails where the terminal is ending, and then the link breaks.
        let _ = self.line.passing(encode(&TerminalInPassing::Hand { lease: self.lease, says }));
    }
}

impl Drop for To {
    fn drop(&mut self) {
        self.say(HandSays::End);
    }
}

async fn send<S>(socket: &mut WebSocketStream<S>, message: &HandTells) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Send + Unpin,
{
    let text = serde_json::to_string(message).map_err(|error| Error::Io(error.into()))?;
    socket.send(Message::Text(text.into())).await
}
