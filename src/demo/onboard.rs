//! Takes on the example portal and officers, and brings the example catalogue in force: by two people.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;

use crate::access::service::{NewPerson, NewPortal, add_key, create_person, create_portal, scopes_of};
use crate::access::{AccessError, NewKey, Owner, Role, Scope};
use crate::app::App;
use crate::catalogue::CatalogueError;
use crate::catalogue::approval::{Approval, service as catalogue};
use crate::client::Client;
use crate::http::signature::SigningKey;
use crate::ids::{PersonId, PortalId};
use crate::tx::Actor;

/// A person with a key of his own.
#[derive(Debug, Clone)]
pub struct Officer {
    pub id: PersonId,
    pub login: String,
    pub password: String,
    pub key_id: String,
    /// The seed of the person's Ed25519 key.
    pub secret: Vec<u8>,
    pub client: Client,
}

/// Who is there when the story begins.
#[derive(Debug, Clone)]
pub struct Onboarded {
    pub portal: PortalId,
    pub portal_key_id: String,
    /// The portal's shared secret, shown once.
    pub portal_secret: Vec<u8>,
    pub portal_client: Client,
    /// Reconciles, and asks for refunds.
    pub reconciler: Officer,
    /// Approves what another asked for.
    pub approver: Officer,
}

/// `base` is where the hub answers; `catalogue` holds the example files.
pub async fn onboard(app: &App, base: &str, catalogue_folders: &[&Path]) -> anyhow::Result<Onboarded> {
    let new = NewPortal {
        code: "example-portal".to_owned(),
        name_ar: "بوابة المثال".to_owned(),
        name_en: "Example portal".to_owned(),
        return_url_prefixes: vec!["http://127.0.0.1".to_owned(), "http://localhost".to_owned()],
    };
    let actor = Actor::hub("demo");
    let portal = app.run(&actor, &new, |tx, new| Box::pin(create_portal(tx, new))).await?;
    let secret = app.hub.entropy.bytes::<32>().to_vec();
    let key_id = format!("test_{}", app.hub.entropy.token::<12>());
    let signing = SigningKey::hmac_sha256(secret.clone())?;
    register(app, &key_id, Owner::Portal(portal), &signing, Scope::of_portal()).await?;
    let portal_client = client(app, base, &key_id, signing);

    let reconciler =
        officer(app, base, "reconciler", "موظف التسويات (مثال)", "Reconciler (example)", Role::Reconciler)
            .await?;
    let approver =
        officer(app, base, "approver", "المعتمِد (مثال)", "Approver (example)", Role::Approver).await?;
    bring_in_force(app, catalogue_folders).await?;
    Ok(Onboarded {
        portal,
        portal_key_id: key_id,
        portal_secret: secret,
        portal_client,
        reconciler,
        approver,
    })
}

async fn officer(
    app: &App,
    base: &str,
    login: &str,
    name_ar: &str,
    name_en: &str,
    role: Role,
) -> anyhow::Result<Officer> {
    let password = app.hub.entropy.token::<12>();
    let new = NewPerson {
        login: login.to_owned(),
        name_ar: name_ar.to_owned(),
        name_en: name_en.to_owned(),
        roles: vec![role],
        password: Some(password.clone()),
    };
    let id = app.run(&Actor::hub("demo"), &new, |tx, new| Box::pin(create_person(tx, new))).await?;
    let key_id = format!("test_{login}_{}", app.hub.entropy.token::<8>());
    let secret = app.hub.entropy.bytes::<32>().to_vec();
    let signing = SigningKey::ed25519(&secret)?;
    register(app, &key_id, Owner::Person(id), &signing, scopes_of(&[role])).await?;
    let client = client(app, base, &key_id, signing);
    Ok(Officer { id, login: login.to_owned(), password, key_id, secret, client })
}

async fn register(
    app: &App,
    key_id: &str,
    owner: Owner,
    signing: &SigningKey,
    scopes: Vec<Scope>,
) -> Result<(), AccessError> {
    let new = NewKey {
        key_id: key_id.to_owned(),
        owner,
        material: signing.verify_key(),
        scopes,
        created_at: app.clock.now(),
    };
    app.run(&Actor::hub("demo"), &new, |tx, new| Box::pin(add_key(tx, new))).await?;
    Ok(())
}

fn client(app: &App, base: &str, key_id: &str, signing: SigningKey) -> Client {
    Client::new(base, key_id, signing, Arc::clone(&app.clock), app.hub.entropy.clone())
}

/// One person submits the files, another approves them.
pub async fn bring_in_force(app: &App, folders: &[&Path]) -> anyhow::Result<()> {
    let mut files = Vec::new();
    for folder in folders {
        let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
                files.push((path.display().to_string(), text));
            }
        }
    }
    files.sort();
    let author = Actor::hub("demo-catalogue-author");
    let taken = app.run(&author, &files, |tx, files| Box::pin(catalogue::submit(tx, files))).await;
    let taken = taken.map_err(told)?;
    let approval = Approval { import: taken.id, sha256: taken.sha256 };
    let approver = Actor::hub("demo-catalogue-approver");
    let approve = app.run(&approver, &approval, |tx, approval| Box::pin(catalogue::approve(tx, approval)));
    approve.await.map_err(told)?;
    Ok(())
}

/// With every problem of the files.
fn told(error: CatalogueError) -> anyhow::Error {
    match error {
        CatalogueError::Problems(problems) => {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            anyhow::anyhow!(lines.join("\n"))
        }
        error => error.into(),
    }
}
