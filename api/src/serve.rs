//! Serving: open the hub, listen, and stop without dropping what was begun.

use crate::auth::{KeyError, Verifier};
use crate::config::{Config, ConfigError, IssuerConfig};
use crate::graphql::{self, SchemaError};
use crate::http::Service;
use crate::sandbox::{self, SandboxError};
use samverka_domain::clock::Clock;
use samverka_domain::error::Error;
use samverka_domain::hub::{Database, Environment, Hub, Settings};
use samverka_domain::policy::Engine;
use std::io;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// Why the hub does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Hub(#[from] Error),
    #[error(transparent)]
    Keys(#[from] KeyError),
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    #[error(transparent)]
    Schema(#[from] SchemaError),
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, io::Error),
    #[error("the server failed: {0}")]
    Serve(io::Error),
}

/// Puts a service together on a migrated database.
///
/// # Errors
///
/// Whatever keeps the hub from starting, in words.
pub async fn service(
    database: Database,
    engine: &'static Engine,
    clock: Clock,
    (node, audience, issuers): (&str, &str, &[IssuerConfig]),
) -> Result<(Hub, Service), StartError> {
    let schema = graphql::schema()?;
    let settings = Settings { engine, clock: clock.clone(), node: node.to_owned() };
    let hub = Hub::open(database, settings).await?;
    let verifier = Verifier::new(audience, issuers, clock, |code| hub.agency_by_code(code))?;
    let service = Service::new(hub.clone(), schema, verifier, node);
    Ok((hub, service))
}

/// Opens a production hub: no issuer but the configured ones, and no database of a sandbox.
///
/// # Errors
///
/// As [`service`]; pending migrations, too.
pub async fn production(config: &Config, engine: &'static Engine, clock: Clock) -> Result<(Hub, Service), StartError> {
    let agencies = config.agencies()?;
    let database = Database::connect(&config.database).await?;
    database.require_current().await?;
    database.claim(Environment::Production).await?;
    database.put_agencies(&agencies).await?;
    service(database, engine, clock, (&config.node, &config.audience, &config.issuer)).await
}

/// A sandbox that is ready to serve.
pub struct Sandbox {
    pub hub: Hub,
    pub service: Service,
    pub issuer: sandbox::Issuer,
}

/// Opens a sandbox, and makes it first if need be.
///
/// # Errors
///
/// As [`service`]; a database of production, too.
pub async fn sandbox(
    database: &str,
    engine: &'static Engine,
    clock: Clock,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<Sandbox, StartError> {
    let database = Database::connect(database).await?;
    let issuer = sandbox::prepare(&database, &clock, progress).await?;
    let issuers = issuer.configs();
    let (hub, service) = service(database, engine, clock, ("sandbox", sandbox::AUDIENCE, &issuers)).await?;
    Ok(Sandbox { hub, service, issuer })
}

/// Listens on an address; port 0 takes a free one.
///
/// # Errors
///
/// [`StartError::Listen`].
pub async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |error| StartError::Listen(address, error);
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// Serves until a signal to stop comes, then answers what was begun and closes the access log.
///
/// # Errors
///
/// [`StartError::Serve`].
pub async fn run(hub: Hub, service: Service, listener: TcpListener) -> Result<(), StartError> {
    let router = service.router();
    drop(service);
    axum::serve(listener, router).with_graceful_shutdown(stop()).await.map_err(StartError::Serve)?;
    hub.close().await;
    tracing::info!("stopped");
    Ok(())
}

async fn stop() {
    let interrupt = async { _ = tokio::signal::ctrl_c().await };
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => _ = signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
    tracing::info!("stopping; requests that were begun are answered");
}
