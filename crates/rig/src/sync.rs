//! The line that lets other recordings be aligned with a session's: what is
//! said on it.

use bramble_value::Span;

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
    /// The time itself, as a number in pulses.
    Barcode {
        /// From one number's start to the next's.
        every: Span,
        /// How long each bit lasts.
        bit: Span,
        /// How many bits a number has.
        bits: u8,
    },
}
