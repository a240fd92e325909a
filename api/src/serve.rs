//! Serving: open the hub, listen, and stop without dropping what was begun.

use crate::auth::{KeyError, Verifier};
use crate::config::{Config, ConfigError, IssuerConfig};
use crate::graphql::{self, SchemaError};
use crate::http::{Front, Service};
use crate::sandbox::{self, SandboxError};
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use samverka_domain::clock::Clock;
use samverka_domain::error::Error;
use samverka_domain::handover::AlarmTimes;
use samverka_domain::hub::{Database, Environment, Hub, Settings};
use samverka_domain::policy::Engine;
use samverka_domain::routine::Routines;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

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
}

/// What decides: the policies, and the county routines that stand beside them.
#[derive(Clone, Copy)]
pub struct Rules {
    pub engine: &'static Engine,
    pub routines: &'static Routines,
}

impl From<&'static Engine> for Rules {
    /// Policies, with the routines that are part of the product.
    fn from(engine: &'static Engine) -> Self {
        Rules { engine, routines: Routines::embedded() }
    }
}

/// Puts a service together on a migrated database.
///
/// # Errors
///
/// Whatever keeps the hub from starting, in words.
pub async fn service(
    database: Database,
    rules: impl Into<Rules>,
    clock: Clock,
    names: (&str, &str, &[IssuerConfig]),
) -> Result<(Hub, Service), StartError> {
    service_with(database, rules, clock, names, AlarmTimes::default()).await
}

async fn service_with(
    database: Database,
    rules: impl Into<Rules>,
    clock: Clock,
    (node, audience, issuers): (&str, &str, &[IssuerConfig]),
    alarms: AlarmTimes,
) -> Result<(Hub, Service), StartError> {
    let schema = graphql::schema()?;
    let Rules { engine, routines } = rules.into();
    let settings = Settings { engine, routines, clock: clock.clone(), node: node.to_owned(), alarms };
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
pub async fn production(config: &Config, rules: impl Into<Rules>, clock: Clock) -> Result<(Hub, Service), StartError> {
    let (agencies, alarms) = (config.agencies()?, config.alarms()?);
    let database = Database::connect(&config.database).await?;
    database.require_current().await?;
    database.claim(Environment::Production).await?;
    database.put_agencies(&agencies).await?;
    let names = (config.node.as_str(), config.audience.as_str(), config.issuer.as_slice());
    service_with(database, rules, clock, names, alarms).await
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
    rules: impl Into<Rules>,
    clock: Clock,
    progress: &mut (dyn FnMut(u64) + Send),
) -> Result<Sandbox, StartError> {
    let database = Database::connect(database).await?;
    let issuer = sandbox::prepare(&database, &clock, progress).await?;
    let issuers = issuer.configs();
    let (hub, service) = service(database, rules, clock, ("sandbox", sandbox::AUDIENCE, &issuers)).await?;
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

/// How patient the hub is with connections.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How long a request's head may take, the wait for it on an idle connection among it.
    pub head: Duration,
    /// How many connections are open at most; the next waits.
    pub connections: usize,
    /// How long requests that were begun may take at the end.
    pub last_answers: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Patience { head: Duration::from_secs(15), connections: 1_024, last_answers: Duration::from_secs(10) }
    }
}

/// Where `/metrics` is shown. It asks nobody who they are.
#[derive(Debug)]
pub enum Metrics {
    /// Nowhere.
    Nowhere,
    /// On the same address as all else: in a sandbox.
    Beside,
    /// On an address of its own, which only whoever watches over the hub should reach.
    At(TcpListener),
}

/// How patient the hub is with whoever reads its metrics: a few, and not for long.
const FEW: Patience = Patience { head: Duration::from_secs(15), connections: 16, last_answers: Duration::from_secs(1) };

/// Serves until a signal to stop comes, then answers what was begun and closes the access log.
pub async fn run(hub: Hub, service: Service, front: Front, listener: TcpListener, metrics: Metrics) {
    let router = service.router_with(front);
    let (router, apart) = match metrics {
        Metrics::Nowhere => (router, None),
        Metrics::Beside => (router.merge(service.metrics()), None),
        Metrics::At(listener) => (router, Some((service.metrics(), listener))),
    };
    drop(service);
    let (ended, end) = tokio::sync::oneshot::channel::<()>();
    let apart = apart.map(|(metrics, listener)| {
        let end = async { _ = end.await };
        tokio::spawn(accept(metrics, listener, FEW, end))
    });
    accept(router, listener, Patience::default(), stop()).await;
    drop(ended);
    if let Some(apart) = apart {
        _ = apart.await;
    }
    hub.close().await;
    tracing::info!("stopped");
}

/// Accepts connections until `stop` is done, then lets each answer what it has begun.
///
/// Not `axum::serve`: that one waits for ever for a head that never comes.
pub async fn accept(router: Router, listener: TcpListener, patience: Patience, stop: impl Future<Output = ()>) {
    let graceful = GracefulShutdown::new();
    let free = Arc::new(Semaphore::new(patience.connections));
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = async {
            let held = free.clone().acquire_owned().await;
            (held, listener.accept().await)
        };
        let (held, accepted) = tokio::select! {
            () = &mut stop => break,
            accepted = accepted => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let mut http = http1::Builder::new();
                http.timer(TokioTimer::new()).header_read_timeout(patience.head);
                let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router.clone()));
                let connection = graceful.watch(connection);
                tokio::spawn(async move {
                    let _held = held;
                    // A caller that hangs up or is too slow is no error of the hub.
                    _ = connection.await;
                });
            }
            // Out of file descriptors, most likely: others must end before one can begin.
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(patience.last_answers, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end in time");
    }
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
