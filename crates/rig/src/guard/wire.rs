//! How a pilot and its guard say it to each other: packets over a pair of Unix
//! sockets, file descriptors beside them.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use serde::{Deserialize, Serialize};

use super::Guarded;
use super::words::Line;

/// As many file descriptors go into one packet.
pub(super) const MOST_FDS: usize = 250;

/// As long as a packet may be.
const LONGEST: usize = 64 * 1024;

/// Two ends that keep packets apart and know when the other is closed.
pub(super) fn pair() -> Result<(OwnedFd, OwnedFd), Errno> {
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
}

/// Splits what is guarded into what is said of it and what goes beside it.
pub(super) fn split(guarded: Vec<Guarded>) -> (Vec<Line>, Vec<OwnedFd>) {
    let mut fds = Vec::new();
    let line = |one| match one {
        Guarded::Gpiocdev { request, safe } => {
            fds.push(request);
            Line::Gpiocdev { safe }
        }
        Guarded::Rppal { pin, high } => Line::Rppal { pin, high },
        Guarded::Pwm { path, duty_ns } => Line::Pwm { path, duty_ns },
        Guarded::File { file, place, safe } => {
            fds.push(file);
            Line::File { place, safe }
        }
    };
    let lines = guarded.into_iter().map(line).collect();
    (lines, fds)
}

/// Puts together what [`split`] split; `None` where file descriptors are missing.
pub(super) fn join(lines: Vec<Line>, fds: Vec<OwnedFd>) -> Option<Vec<Guarded>> {
    let mut fds = fds.into_iter();
    let guarded = lines.into_iter().map(|line| {
        Some(match line {
            Line::Gpiocdev { safe } => Guarded::Gpiocdev { request: fds.next()?, safe },
            Line::Rppal { pin, high } => Guarded::Rppal { pin, high },
            Line::Pwm { path, duty_ns } => Guarded::Pwm { path, duty_ns },
            Line::File { place, safe } => Guarded::File { file: fds.next()?, place, safe },
        })
    });
    guarded.collect()
}

/// Sends one packet, with these beside it. It doesn't wait for room.
pub(super) fn send(to: BorrowedFd<'_>, said: &impl Serialize, beside: &[OwnedFd]) -> Result<(), Errno> {
    let fds: Vec<BorrowedFd<'_>> = beside.iter().map(AsFd::as_fd).collect();
    let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_FDS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(&fds)) {
        return Err(Errno::TOOMANYREFS);
    }
    // These types have no value that can't be written.
    let bytes = serde_json::to_vec(said).map_err(|_| Errno::INVAL)?;
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    sendmsg(to, &[IoSlice::new(&bytes)], &mut control, flags).map(drop)
}

/// The next packet that is there, with what came beside it; `None` where the
/// other end is closed.
///
/// # Errors
/// [`Errno::AGAIN`] where there is none.
pub(super) fn receive<T: for<'a> Deserialize<'a>>(
    from: BorrowedFd<'_>,
) -> Result<Option<(T, Vec<OwnedFd>)>, Errno> {
    let mut bytes = vec![0; LONGEST];
    let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_FDS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
    let received = match recvmsg(from, &mut [IoSliceMut::new(&mut bytes)], &mut control, flags) {
        Err(Errno::CONNRESET) => return Ok(None),
        other => other?,
    };
    if received.bytes == 0 {
        return Ok(None);
    }
    let fds = control.drain().flat_map(|message| match message {
        RecvAncillaryMessage::ScmRights(fds) => fds.collect(),
        _ => Vec::new(),
    });
    let fds = fds.collect();
    let said = serde_json::from_slice(&bytes[..received.bytes]).map_err(|_| Errno::BADMSG)?;
    Ok(Some((said, fds)))
}

#[cfg(test)]
mod tests {
    use super::super::words::{Order, Reply};
    use super::*;
    use bramble_value::Span;
    use std::fs::File;
    use std::os::unix::fs::FileExt;

    #[test]
    fn what_is_guarded_arrives_with_its_files() {
        let (near, far) = pair().unwrap();
        let file = tempfile::tempfile().unwrap();
        let guarded = vec![
            Guarded::Rppal { pin: 17, high: true },
            Guarded::File { file: file.try_clone().unwrap().into(), place: 2, safe: b'x' },
        ];
        let (lines, fds) = split(guarded);
        send(near.as_fd(), &Order::Hold { lines, watchdog: Span::from_ms(250) }, &fds).unwrap();

        let (order, fds) = receive(far.as_fd()).unwrap().unwrap();
        let Order::Hold { lines, watchdog } = order else { panic!("{order:?}") };
        assert_eq!(watchdog, Span::from_ms(250));
        let guarded = join(lines, fds).unwrap();
        let [Guarded::Rppal { pin: 17, high: true }, Guarded::File { file: sent, place: 2, safe }] =
            &guarded[..]
        else {
            panic!("{guarded:?}")
        };
        File::from(sent.try_clone().unwrap()).write_all_at(&[*safe], 0).unwrap();
        let mut byte = [0];
        file.read_exact_at(&mut byte, 0).unwrap();
        assert_eq!(byte, *b"x", "it is the same file");
    }

    #[test]
    fn a_closed_end_is_told_from_silence() {
        let (near, far) = pair().unwrap();
        assert_eq!(receive::<Reply>(far.as_fd()).unwrap_err(), Errno::AGAIN);
        send(near.as_fd(), &Reply::Tripped, &[]).unwrap();
        drop(near);
        assert_eq!(receive::<Reply>(far.as_fd()).unwrap().unwrap().0, Reply::Tripped);
        assert!(receive::<Reply>(far.as_fd()).unwrap().is_none());
        assert_eq!(send(far.as_fd(), &Reply::Tripped, &[]), Err(Errno::PIPE));
    }
}
