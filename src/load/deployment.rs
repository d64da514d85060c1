//! A hub of the load's own: embedded database with everything on that keeps money safe, HTTP on the loopback,
//! and the example catalogue.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

use mizan_ledger::SystemClock;
use tokio::net::TcpListener;

use super::gateway::Gateway;
use super::goods;
use super::payment::{CHANNEL, Target};
use crate::access::service::{NewPortal, add_key, create_portal};
use crate::access::{NewKey, Owner, Scope};
use crate::app::App;
use crate::catalogue::approval::{Approval, service as catalogue};
use crate::client::Client;
use crate::config::Limits;
use crate::demo;
use crate::entropy::Entropy;
use crate::http::signature::SigningKey;
use crate::localpg::LocalPg;
use crate::start::{self, Running};
use crate::tx::Actor;

/// Hub, gateway and database, started for real.
#[derive(Debug)]
pub struct Deployment {
    pub hub: Running,
    pub target: Target,
    gateway: Gateway,
    cluster: LocalPg,
}

impl Deployment {
    /// Starts all of it in `data_dir`, which may hold what earlier runs left.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn open(data_dir: &Path) -> anyhow::Result<Self> {
        let entropy = Entropy::system();
        let cluster = LocalPg::start(data_dir).await?;
        let gateway = Gateway::start(([127, 0, 0, 1], 0).into()).await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let mut config = demo::config(data_dir, address, &format!("http://{}", gateway.address));
        // One key sends what many portals would; the limit per key is not what is measured.
        config.limits =
            Limits { requests_per_second: NonZeroU32::MAX, burst: NonZeroU32::MAX, ..config.limits };
        let app = start::app(config, &cluster.url_app(), Arc::new(SystemClock), entropy).await?;
        let hub = start::serve(app, listener).await?;
        let base = format!("http://{address}");
        let portal = take_on(&hub.app, &base).await?;
        bring_in_force(&hub.app).await?;
        let target = Target::new(portal, &base, CHANNEL, demo::MERCHANT, demo::callback_key());
        Ok(Self { hub, target, gateway, cluster })
    }

    /// Stops everything.
    ///
    /// # Errors
    /// When the database does not stop.
    pub async fn close(self) -> anyhow::Result<()> {
        self.hub.stop().await;
        self.gateway.stop().await;
        Ok(self.cluster.stop().await?)
    }
}

/// A portal of this run with an hmac-sha256 key.
async fn take_on(app: &App, base: &str) -> anyhow::Result<Client> {
    let run = app.hub.entropy.token::<12>();
    let new = NewPortal {
        code: format!("load-{run}"),
        name_ar: "بوابة القياس (مثال)".to_owned(),
        name_en: "Load portal (example)".to_owned(),
        return_url_prefixes: Vec::new(),
    };
    let actor = Actor::hub("load");
    let portal = app.run(&actor, &new, |tx, new| Box::pin(create_portal(tx, new))).await?;
    let signing = SigningKey::hmac_sha256(app.hub.entropy.bytes::<32>().to_vec())?;
    let key = NewKey {
        key_id: format!("test_load_{run}"),
        owner: Owner::Portal(portal),
        material: signing.verify_key(),
        scopes: Scope::of_portal(),
        created_at: app.clock.now(),
    };
    app.run(&actor, &key, |tx, key| Box::pin(add_key(tx, key))).await?;
    Ok(Client::new(base, &key.key_id, signing, Arc::clone(&app.clock), app.hub.entropy.clone()))
}

/// The example catalogue through the service: submitted by one, approved by another.
async fn bring_in_force(app: &App) -> anyhow::Result<()> {
    let files = vec![("load.toml".to_owned(), goods::catalogue())];
    let author = Actor::hub("load-catalogue-author");
    let taken = app.run(&author, &files, |tx, files| Box::pin(catalogue::submit(tx, files))).await?;
    let approval = Approval { import: taken.id, sha256: taken.sha256 };
    let approver = Actor::hub("load-catalogue-approver");
    app.run(&approver, &approval, |tx, approval| Box::pin(catalogue::approve(tx, approval))).await?;
    Ok(())
}
