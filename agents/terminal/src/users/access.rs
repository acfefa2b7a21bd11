//! Whether and how one logs in at the page's door.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use bramble_value::{Name, Person};
use tokio::sync::Semaphore;

use super::logins::Logins;
pub(crate) use super::logins::Token;
use super::{Role, Users, file};
use crate::plan;
use crate::refusal::{Allowed, Refusal};

/// So many passwords are hashed at a time: each takes 19 MiB and a processor.
const TOGETHER: usize = 2;

/// Which edition of the users' file something is of; none where it isn't there.
type Edition = Option<(SystemTime, u64)>;

/// Logging in at a door.
#[derive(Debug)]
pub(crate) struct Access {
    /// Whether a login is asked for.
    pub(crate) required: bool,
    /// Whether browsers come by TLS.
    tls: bool,
    file: PathBuf,
    /// The users, and of which edition of their file they are.
    users: Mutex<(Edition, Arc<Users>)>,
    logins: Mutex<Logins>,
    hashing: Semaphore,
    begun: Instant,
    /// This computer, as it stands behind a user's name.
    host: String,
}

impl Access {
    /// Where nobody has to log in.
    pub(crate) fn none(data: &std::path::Path) -> Access {
        Access::new(data, false, false, String::new())
    }

    /// Logging in by the users of a data folder.
    pub(crate) fn new(data: &std::path::Path, required: bool, tls: bool, host: String) -> Access {
        Access {
            required,
            tls,
            file: file::path(data),
            users: Mutex::default(),
            logins: Mutex::default(),
            hashing: Semaphore::new(TOGETHER),
            begun: Instant::now(),
            host,
        }
    }

    /// Logs a user in.
    ///
    /// # Errors
    /// Where they don't prove who they are, or too many wrong passwords came from there.
    pub(crate) async fn log_in(
        &self,
        from: IpAddr,
        name: String,
        password: String,
    ) -> Allowed<(Token, Login)> {
        let waits = self.logins().try_one(from, self.begun.elapsed());
        waits.map_err(|wait| {
            let seconds = wait.as_secs() + 1;
            Refusal::too_often(format!("too many passwords were wrong: wait {seconds} s, then try again"))
        })?;
        let users = self.users()?;
        let _turn = self.hashing.acquire().await;
        let (known, name) = plan::blocking(move || Ok((users.knows(&name, &password), name))).await?;
        let user = name.parse::<Name>().ok().filter(|_| known);
        let Some(user) = user else {
            tracing::warn!(%from, "somebody gave a wrong name or password");
            return Err(Refusal::login("the name or the password is wrong"));
        };
        let mut logins = self.logins();
        logins.was_right(from);
        let token = logins.open(user.clone(), self.begun.elapsed());
        drop(logins);
        tracing::info!(%from, "{user} logged in");
        let login = self.login(user).ok_or_else(|| Refusal::login("the user was removed"))?;
        Ok((token, login))
    }

    /// Whose login this is, which is used by this; none where it doesn't hold, or the user was
    /// removed.
    pub(crate) fn uses(&self, token: &Token) -> Option<Login> {
        let user = self.logins().user(token, self.begun.elapsed())?;
        self.login(user)
    }

    /// Whether a login still holds, with at least this role.
    pub(crate) fn holds(&self, token: &Token, role: Role) -> bool {
        let user = self.logins().holds(token, self.begun.elapsed()).cloned();
        user.and_then(|user| self.login(user)).is_some_and(|login| login.role >= role)
    }

    /// Ends a login.
    pub(crate) fn log_out(&self, token: &Token) {
        self.logins().close(token);
    }

    /// The cookie that a login is known by; without one, that there is none any more.
    pub(crate) fn cookie(&self, token: Option<&Token>) -> String {
        let (text, age) = token.map_or(("", "; Max-Age=0"), |token| (token.as_str(), ""));
        let secure = if self.tls { "; Secure" } else { "" };
        format!("{}={text}; Path=/; HttpOnly; SameSite=Strict{age}{secure}", crate::web::COOKIE)
    }

    fn login(&self, user: Name) -> Option<Login> {
        let role = self.users().ok()?.role(&user)?;
        Some(Login { person: Person::at(user.as_str(), &self.host).ok()?, user, role })
    }

    /// The users now: a command may have changed them since the last look.
    fn users(&self) -> Allowed<Arc<Users>> {
        // What is under the lock is whole after each statement.
        let mut known = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        let edition = file::edition(&self.file);
        if edition != known.0 {
            *known = (edition, Arc::new(file::read(&self.file)?));
        }
        Ok(Arc::clone(&known.1))
    }

    fn logins(&self) -> MutexGuard<'_, Logins> {
        // As with the users.
        self.logins.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who has logged in.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    pub(crate) user: Name,
    /// As the record has them.
    pub(crate) person: Person,
    pub(crate) role: Role,
}
