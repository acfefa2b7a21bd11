//! The words that everything else is said in: times and quantities with their
//! units, names, values, random draws, and what a session records.
//!
//! Nothing here does I/O, and nothing here knows a clock.

mod lab;
mod name;
mod person;
mod quantity;
mod random;
mod record;
mod sources;
mod time;
mod value;

pub use lab::Lab;
pub use name::{Name, NameError, SubjectId};
pub use person::{Person, PersonError};
pub use quantity::{Frequency, Level, Mass, QuantityError, Volume};
pub use random::{Draw, Random, Seed, Shape};
pub use record::{Asked, Ending, Event, Kind, Names, Record, Row, Source, SourceKind, Trials};
pub use sources::Sources;
pub use time::{Span, Time};
pub use value::{Value, ValueType};
