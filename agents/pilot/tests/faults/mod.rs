//! Real agents, and what goes wrong around them: each scenario breaks something,
//! and then holds the subject file against all that the pilot's journal ever had.

mod clock;
mod disk;
mod files;
mod hung;
mod journals;
mod kept;
mod killed;
mod network;
mod peers;
