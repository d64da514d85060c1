//! A person shows who they are by a password: for a session of the console, or once per machine for a key of their own.

use std::net::IpAddr;

use super::store::{self, PersonRow};
use super::{Tries, service};
use crate::app::App;
use crate::fault::Fault;
use crate::tx::Actor;

/// Argon2id with the same cost as every other hash, of nothing: who does not exist takes as long to refuse.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bWl6YW4tbm9ib2R5$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Why nobody is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The login or the password; which of them is not told.
    Wrong,
    TooOften,
}

/// The active person of this login and password.
pub async fn person(
    app: &App,
    tries: &Tries,
    from: Option<IpAddr>,
    (login, password): (&str, String),
) -> Result<Result<PersonRow, Refused>, Fault> {
    if !tries.take(login, from) {
        return Ok(Err(Refused::TooOften));
    }
    let mut conn = app.pool.acquire().await?;
    // PostgreSQL's text holds no NUL.
    let found = if login.contains('\0') { None } else { store::find_person(&mut conn, login).await? };
    drop(conn);
    let hash = found.as_ref().and_then(|person| person.password_hash.clone());
    let hash = hash.unwrap_or_else(|| NOBODY.to_owned());
    let place = tries.place().await;
    let fits = tokio::task::spawn_blocking(move || service::password_fits(&password, &hash)).await;
    drop(place);
    let fits = fits.map_err(|_| Fault::Crypto("a password could not be checked"))?;
    match found {
        Some(person) if fits => Ok(Ok(person)),
        Some(person) => {
            let refuse = super::sessions::refuse;
            app.run(&Actor::hub("login"), &person.id, |tx, id| Box::pin(refuse(tx, *id))).await?;
            Ok(Err(Refused::Wrong))
        }
        None => Ok(Err(Refused::Wrong)),
    }
}

#[cfg(test)]
mod tests {
    use argon2::PasswordHash;

    use super::*;

    #[test]
    fn nobody_has_a_hash_that_costs_as_much_and_fits_nothing() {
        assert!(PasswordHash::new(NOBODY).is_ok());
        assert!(!service::password_fits("", NOBODY));
    }
}
