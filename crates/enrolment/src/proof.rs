//! What each side proves to the other: that it has the key, on this connection.

use ring::hmac;

/// What the two ends of one TLS connection have in common, and nobody else: its
/// exporter (RFC 9266, `tls-exporter`).
#[derive(Clone, PartialEq, Eq)]
pub struct Binding([u8; Binding::LENGTH]);

impl Binding {
    /// The exporter's label.
    pub const LABEL: &[u8] = b"EXPORTER-Channel-Binding";
    /// How many bytes are exported.
    pub const LENGTH: usize = 32;

    /// The binding with these exported bytes.
    pub fn new(exported: [u8; Binding::LENGTH]) -> Binding {
        Binding(exported)
    }
}

/// Who proves something.
#[derive(Clone, Copy)]
pub(crate) enum Side {
    Joins,
    Invites,
}

/// The key that the two agreed on, with what is proven by it.
pub(crate) struct Proofs {
    key: hmac::Key,
    binding: Binding,
}

impl Proofs {
    /// Proofs by the key that SPAKE2 gave.
    pub(crate) fn new(key: &[u8], binding: Binding) -> Proofs {
        Proofs { key: hmac::Key::new(hmac::HMAC_SHA256, key), binding }
    }

    fn said(&self, side: Side) -> Vec<u8> {
        let words: &[u8] = match side {
            Side::Joins => b"bramble enrolment 1: joins",
            Side::Invites => b"bramble enrolment 1: invites",
        };
        [words, &self.binding.0].concat()
    }

    /// A side's proof.
    pub(crate) fn of(&self, side: Side) -> Vec<u8> {
        hmac::sign(&self.key, &self.said(side)).as_ref().to_vec()
    }

    /// Whether it is the proof of that side.
    pub(crate) fn is(&self, side: Side, proof: &[u8]) -> bool {
        // In a time that doesn't say where they differ.
        hmac::verify(&self.key, &self.said(side), proof).is_ok()
    }
}
