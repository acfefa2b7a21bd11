//! The line that lets other recordings be aligned with a session's: what is
//! said on it, and when. It does no I/O and knows no clock.
//!
//! A barcode is that of the DAQ Synchronization project of the Optogenetics and
//! Neural Engineering Core, University of Colorado
//! (<https://optogeneticsandneuralengineeringcore.gitlab.io/ONECoreSite/projects/DAQSyncBarcodeGeneration/>),
//! which grew out of the Allen Institute's
//! (<https://github.com/open-ephys/sync-barcodes>): bits of one length, the lowest
//! first, high for 1, wrapped on both sides in low, high, low of a third of a bit
//! each. Their scripts read it. The first low is the rest of the line before it,
//! so that the first rise of a barcode is at the very second that it says.

use bramble_value::{Random, Seed, Span, Time};

use crate::devices::program::{Program, Segment};

/// What a sync line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncPattern {
    /// Pulses at random intervals: the sequence of intervals is found again in
    /// the other recording.
    Random {
        /// The shortest and the longest time from one pulse's start to the next's.
        gap: (Span, Span),
        /// How long each lasts.
        width: Span,
    },
    /// The time itself, as a number in pulses: whole seconds since 1970, UTC.
    Barcode {
        /// From one number's start to the next's.
        every: Span,
        /// How long each bit lasts.
        bit: Span,
        /// How many bits a number has; of a larger one the lowest are said.
        bits: u8,
    },
}

impl SyncPattern {
    /// What is wrong with it, in a sentence, if anything is: it must be told
    /// where one pulse or number ends and the next begins.
    ///
    /// # Errors
    /// That sentence.
    pub fn check(self) -> Result<SyncPattern, String> {
        match self {
            SyncPattern::Random { gap: (shortest, longest), width } => {
                if width == Span::ZERO {
                    return Err("the `width` of the pulses must be more than 0".into());
                }
                if shortest > longest {
                    return Err(format!("`shortest` ({shortest}) is longer than `longest` ({longest})"));
                }
                if shortest < twice(width) {
                    return Err(format!("`shortest` must be at least twice the `width`: {}", twice(width)));
                }
            }
            SyncPattern::Barcode { every, bit, bits } => {
                if !(1..=64).contains(&bits) {
                    return Err("a barcode has from 1 to 64 `bits`".into());
                }
                if bit < Span::from_ms(1) {
                    return Err("a `bit` must last at least 1 ms".into());
                }
                let end = barcode(Time::ZERO, bit, bits, 0).end();
                let length = end.map_or(Span::MAX, |end| end.since(Time::ZERO));
                let least = twice(length).max(Span::from_s(1));
                if every < least {
                    return Err(format!("`every` must be at least {least}: one barcode lasts {length}"));
                }
            }
        }
        Ok(self)
    }
}

/// A sync line during a session: a function of the session's start and seed.
#[derive(Debug)]
pub struct Sync {
    pattern: SyncPattern,
    seed: Seed,
    /// A moment, and what a clock on the wall says then.
    time: Time,
    unix_ns: i64,
    /// How many pulses or barcodes came before the present or next one.
    number: u64,
    /// The present or next one, until it is stopped.
    program: Option<Program>,
    high: bool,
}

impl Sync {
    /// A line that starts low, at `time`, when a clock on the wall says `unix_ns`
    /// (nanoseconds since 1970, UTC). Random intervals come from `seed`.
    pub fn new(pattern: SyncPattern, seed: Seed, time: Time, unix_ns: i64) -> Sync {
        let mut sync = Sync { pattern, seed, time, unix_ns, number: 0, program: None, high: false };
        sync.program = Some(sync.following(time));
        sync
    }

    /// When it changes next, seen from `now`.
    pub fn deadline(&self, now: Time) -> Option<Time> {
        self.program.as_ref().and_then(|program| program.next_change(now))
    }

    /// It is low from now on; whether it was high.
    pub fn stop(&mut self) -> bool {
        self.program = None;
        std::mem::take(&mut self.high)
    }

    /// Its new level, where it changes by `now`.
    pub fn advance(&mut self, now: Time) -> Option<bool> {
        while let Some(over) = self.program.as_ref().filter(|one| one.end().is_some_and(|end| end <= now)) {
            let start = over.start();
            self.number += 1;
            self.program = Some(self.following(start));
        }
        let high = self.program.as_ref().is_some_and(|program| program.level(now) > 0.0);
        (std::mem::replace(&mut self.high, high) != high).then_some(high)
    }

    /// What comes after that which started then.
    fn following(&self, last: Time) -> Program {
        match self.pattern {
            SyncPattern::Random { gap: (shortest, longest), width } => {
                let range = longest.ns().saturating_sub(shortest.ns()).unsigned_abs();
                let more = Random::new(self.seed, "sync", self.number).below(range.saturating_add(1));
                let gap = shortest + Span::from_ns(i64::try_from(more).unwrap_or(i64::MAX));
                Program::pulse(last + gap, width, 1.0)
            }
            SyncPattern::Barcode { every, bit, bits } => {
                let every = every.ns().max(1);
                let turns = i64::try_from(self.number).unwrap_or(i64::MAX).saturating_add(1);
                // The first multiple of `every` on the wall that is not in the past yet.
                let first = self.unix_ns.saturating_sub(1).div_euclid(every);
                let wall = first.saturating_add(turns).saturating_mul(every);
                let start = self.time + Span::from_ns(wall.saturating_sub(self.unix_ns));
                barcode(start, bit, bits, wall.div_euclid(1_000_000_000).cast_unsigned())
            }
        }
    }
}

/// A number as a barcode.
fn barcode(start: Time, bit: Span, bits: u8, number: u64) -> Program {
    let segment = |level, length| Segment { level, length };
    let wrapper = Span::from_ns(bit.ns() / 3);
    let digits = (0..bits.min(64)).map(|place| segment((number >> place & 1) as f64, bit));
    let before = [segment(1.0, wrapper), segment(0.0, wrapper)];
    let after = [segment(0.0, wrapper), segment(1.0, wrapper), segment(0.0, wrapper)];
    Program::series(start, before.into_iter().chain(digits).chain(after), Some(1))
}

fn twice(span: Span) -> Span {
    span + span
}

#[cfg(test)]
mod tests;
