//! Members of staff that a test takes on, and their keys.

use std::sync::Arc;

use mizan::access::service::{NewPerson, add_key, create_person, scopes_of};
use mizan::access::{NewKey, Owner, Role, Scope};
use mizan::client::Client;
use mizan::http::signature::SigningKey;
use mizan::tx::Actor;

use super::World;

impl World {
    /// A person of these duties, at once, with this password.
    pub async fn person(&self, login: &str, roles: &[Role], password: &str) -> Owner {
        let new = NewPerson {
            login: login.to_owned(),
            name_ar: "مثال".to_owned(),
            name_en: "Example".to_owned(),
            roles: roles.to_vec(),
            password: Some(password.to_owned()),
        };
        let actor = Actor::hub("test");
        let made = self.app.run(&actor, &new, |tx, new| Box::pin(create_person(tx, new))).await;
        Owner::Person(made.unwrap())
    }

    /// A person of these duties with a key of their own.
    pub async fn staff(&self, login: &str, roles: &[Role]) -> Client {
        let owner = self.person(login, roles, "a password of the test").await;
        self.with_key(login, owner, scopes_of(roles)).await
    }

    /// A person whose key carries more than one duty: roles forbid it, and the checks of each room stand behind them.
    pub async fn both(&self, scopes: Vec<Scope>) -> Client {
        let new = NewPerson {
            login: "both".to_owned(),
            name_ar: "مثال".to_owned(),
            name_en: "Both duties (example)".to_owned(),
            roles: Vec::new(),
            password: None,
        };
        let actor = Actor::hub("test");
        let made = self.app.run(&actor, &new, |tx, new| Box::pin(create_person(tx, new))).await;
        self.with_key("both", Owner::Person(made.unwrap()), scopes).await
    }

    async fn with_key(&self, login: &str, owner: Owner, scopes: Vec<Scope>) -> Client {
        let signing = SigningKey::ed25519(&self.app.hub.entropy.bytes::<32>()).unwrap();
        let key_id = format!("test_{login}");
        let key = NewKey {
            key_id: key_id.clone(),
            owner,
            material: signing.verify_key(),
            scopes,
            created_at: self.app.clock.now(),
        };
        self.app.run(&Actor::hub("test"), &key, |tx, key| Box::pin(add_key(tx, key))).await.unwrap();
        let entropy = self.app.hub.entropy.clone();
        Client::new(&self.base, &key_id, signing, Arc::clone(&self.app.clock), entropy)
    }
}
