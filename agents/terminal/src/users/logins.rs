//! Who is logged in and for how long, and how often who may try: state without I/O and without a
//! clock.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use bramble_value::Name;
use uuid::Uuid;

/// A login that isn't used ends after this long.
const IDLE: Duration = Duration::from_hours(8);
/// A login ends after this long, however much it is used.
const LONGEST: Duration = Duration::from_hours(7 * 24);
/// How many logins there are at most; the one that was used least lately makes room.
const MOST: usize = 500;
/// How many wrong passwords may come from one computer one after the other.
const TRIES: u32 = 10;
/// After this long, one more may come.
const TRY_EVERY: Duration = Duration::from_secs(20);
/// How many computers are remembered that tried.
const MOST_TRIERS: usize = 10_000;

/// What a browser shows that has logged in: 244 random bits.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // No log has it.
        f.write_str("Token")
    }
}

impl Token {
    fn new() -> Token {
        Token(format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()))
    }

    pub(crate) fn of(text: &str) -> Token {
        Token(text.to_owned())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Who is logged in. Times are those since some beginning.
#[derive(Debug, Default)]
pub(super) struct Logins {
    open: HashMap<Token, Login>,
    tries: HashMap<IpAddr, Tries>,
}

#[derive(Debug)]
struct Login {
    user: Name,
    since: Duration,
    used: Duration,
}

/// How many wrong passwords a computer gave, where each is forgotten after a while.
#[derive(Debug, Clone, Copy)]
struct Tries {
    wrong: u32,
    counted: Duration,
}

impl Logins {
    /// A user proved who they are.
    pub(super) fn open(&mut self, user: Name, now: Duration) -> Token {
        self.open.retain(|_, login| login.holds(now));
        if self.open.len() >= MOST {
            let oldest = self.open.iter().min_by_key(|(_, login)| login.used).map(|(token, _)| token.clone());
            oldest.map(|oldest| self.open.remove(&oldest));
        }
        let token = Token::new();
        self.open.insert(token.clone(), Login { user, since: now, used: now });
        token
    }

    /// Whose a login is that still holds, which is used by this.
    pub(super) fn user(&mut self, token: &Token, now: Duration) -> Option<Name> {
        let login = self.open.get_mut(token)?;
        if !login.holds(now) {
            self.open.remove(token);
            return None;
        }
        login.used = now;
        Some(login.user.clone())
    }

    /// Whose a login is that still holds, where merely looking is no use.
    pub(super) fn holds(&self, token: &Token, now: Duration) -> Option<&Name> {
        self.open.get(token).filter(|login| login.holds(now)).map(|login| &login.user)
    }

    pub(super) fn close(&mut self, token: &Token) {
        self.open.remove(token);
    }

    /// A computer tries a password. It counts as wrong until [`Logins::was_right`]: what is
    /// tried at once with others counts too.
    ///
    /// # Errors
    /// How long it has to wait.
    pub(super) fn try_one(&mut self, from: IpAddr, now: Duration) -> Result<(), Duration> {
        if self.tries.len() >= MOST_TRIERS {
            self.tries.retain(|_, tries| tries.wrong_at(now) > 0);
        }
        let tries = self.tries.entry(from).or_insert(Tries { wrong: 0, counted: now });
        let wrong = tries.wrong_at(now);
        if wrong != tries.wrong {
            *tries = Tries {
                wrong,
                counted: if wrong == 0 { now } else { tries.counted + TRY_EVERY * (tries.wrong - wrong) },
            };
        }
        if tries.wrong >= TRIES {
            return Err((tries.counted + TRY_EVERY).saturating_sub(now));
        }
        if tries.wrong == 0 {
            tries.counted = now;
        }
        tries.wrong += 1;
        Ok(())
    }

    /// What a computer tried was right.
    pub(super) fn was_right(&mut self, from: IpAddr) {
        self.tries.remove(&from);
    }
}

impl Login {
    fn holds(&self, now: Duration) -> bool {
        now.saturating_sub(self.used) < IDLE && now.saturating_sub(self.since) < LONGEST
    }
}

impl Tries {
    fn wrong_at(&self, now: Duration) -> u32 {
        let forgotten = now.saturating_sub(self.counted).as_secs() / TRY_EVERY.as_secs();
        self.wrong.saturating_sub(u32::try_from(forgotten).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn alice() -> Name {
        "alice".parse().unwrap()
    }

    fn desk() -> IpAddr {
        "10.0.0.7".parse().unwrap()
    }

    #[test]
    fn a_login_ends_when_it_is_not_used_and_after_a_week() {
        let mut logins = Logins::default();
        let token = logins.open(alice(), HOUR);
        assert_eq!(logins.user(&token, HOUR * 8), Some(alice()));
        assert_eq!(logins.holds(&token, HOUR * 15), Some(&alice()), "it was used at the eighth hour");
        assert_eq!(logins.user(&token, HOUR * 16), None);
        let token = logins.open(alice(), HOUR);
        let used = (1..1_000).take_while(|hour| logins.user(&token, HOUR * *hour).is_some()).count();
        assert_eq!(used, 7 * 24);
    }

    #[test]
    fn a_login_that_was_ended_or_never_was_is_nobodys() {
        let mut logins = Logins::default();
        let token = logins.open(alice(), HOUR);
        assert_eq!(logins.user(&Token::of(""), HOUR), None);
        logins.close(&token);
        assert_eq!(logins.user(&token, HOUR), None);
    }

    #[test]
    fn the_login_that_was_used_least_lately_makes_room() {
        let mut logins = Logins::default();
        let first = logins.open(alice(), HOUR);
        let second = logins.open(alice(), HOUR * 2);
        assert!(logins.user(&first, HOUR * 3).is_some());
        for _ in 2..=MOST {
            logins.open(alice(), HOUR * 4);
        }
        assert_eq!((logins.user(&first, HOUR * 4), logins.user(&second, HOUR * 4)), (Some(alice()), None));
    }

    #[test]
    fn wrong_passwords_are_slowed_down_and_others_are_not() {
        let mut logins = Logins::default();
        for _ in 0..TRIES {
            assert_eq!(logins.try_one(desk(), HOUR), Ok(()));
        }
        assert_eq!(logins.try_one(desk(), HOUR), Err(TRY_EVERY));
        assert_eq!(logins.try_one("10.0.0.8".parse().unwrap(), HOUR), Ok(()));
        assert_eq!(logins.try_one(desk(), HOUR + TRY_EVERY), Ok(()), "one more after a while");
        assert!(logins.try_one(desk(), HOUR + TRY_EVERY).is_err(), "and no more than that");
        assert_eq!(logins.try_one(desk(), HOUR * 2), Ok(()));
        logins.was_right(desk());
        for _ in 0..TRIES {
            assert_eq!(logins.try_one(desk(), HOUR * 2), Ok(()));
        }
    }
}
