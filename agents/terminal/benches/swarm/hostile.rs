//! Commands to a pilot while strangers are at its terminal's door.

use std::collections::VecDeque;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::Failed;
use crate::ends::Ends;
use crate::turns::{self, Turns};

/// So many say nothing at any time.
const SILENT: usize = 500;
/// One that says what nobody of the swarm does comes each time.
const EACH: Duration = Duration::from_millis(1);

/// How long commands took without strangers and with them, and how many of these came.
pub(crate) fn measure(turns: u64) -> Result<(Turns, Turns, u64), Failed> {
    let ends = Ends::start("answering", &[])?;
    let alone = turns::ask(&ends, 1..=turns, Duration::ZERO)?;
    let strangers = Strangers::at(ends.address()?);
    // Until those who say nothing are all there.
    std::thread::sleep(EACH * 2 * u32::try_from(SILENT)?);
    let beside = turns::ask(&ends, turns + 1..=2 * turns, Duration::ZERO)?;
    Ok((alone, beside, strangers.leave()))
}

struct Strangers {
    leave: Arc<AtomicBool>,
    thread: JoinHandle<u64>,
}

impl Strangers {
    fn at(address: SocketAddr) -> Strangers {
        let leave = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&leave);
        let thread = std::thread::spawn(move || {
            let (mut came, mut silent) = (0, VecDeque::new());
            while !told.load(Ordering::Relaxed) {
                // Who is turned away at the door came all the same.
                silent.extend(TcpStream::connect(address));
                if silent.len() > SILENT {
                    silent.pop_front();
                }
                if let Ok(mut stream) = TcpStream::connect(address) {
                    let _ = stream.write_all(&[0x5a; 300]);
                }
                came += 2;
                std::thread::sleep(EACH);
            }
            came
        });
        Strangers { leave, thread }
    }

    /// How many came.
    fn leave(self) -> u64 {
        self.leave.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_default()
    }
}
