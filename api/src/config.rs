//! The configuration of a production hub: a TOML file, and environment variables over it.

use axum::http::Uri;
use figment::Figment;
use figment::providers::{Env, Format, Toml};
use samverka_domain::agency::{AgencyKind, NewAgency};
use samverka_domain::handover::{AlarmTimes, Alarms, HOUR, Kind};
use samverka_domain::policy::Role;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("the configuration cannot be read: {0}")]
    Unreadable(String),
    /// An agency is wrong.
    #[error("agency `{code}`: {reason}")]
    Agency { code: String, reason: String },
    /// An issuer's key file cannot be read.
    #[error("issuer `{issuer}`: `{file}` cannot be read as a JWK Set")]
    Jwks { issuer: String, file: String },
    /// An issuer is one of the sandbox, which production never takes.
    #[error("issuer `{0}`: its name is one of the sandbox's")]
    Sandbox(String),
    /// An issuer gives roles that must be kept apart.
    #[error("issuer `{0}`: the search for missing children and enforcement are agencies apart, with an issuer each")]
    Roles(String),
    /// An issuer speaks for an agency that is not in the configuration, whatever the database has.
    #[error("issuer `{issuer}`: the agency `{agency}` is not configured")]
    Nobody { issuer: String, agency: String },
    /// An issuer gives a role that is not its agency's to have.
    #[error("issuer `{issuer}`: the role {role} does not belong to an agency of the kind {kind}")]
    Role { issuer: String, role: Role, kind: &'static str },
    /// An issuer's tokens may live too long.
    #[error("issuer `{0}`: `longest_life_seconds` must be from 1 to 3600")]
    Life(String),
    /// A kind of handover is unknown, or its hours cannot be.
    #[error("handover `{0}`: it must be a kind of handover, with hours from 0 to 720 that come in order")]
    Handover(String),
    /// Spans cannot be sent there.
    #[error(
        "`otlp_endpoint` must be `http://HOST:PORT`, without a path: a collector on this machine, spoken to in plain text"
    )]
    Otlp,
}

/// How the hub tells what it does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Pretty,
    /// For machines: one JSON object a line.
    Json,
}

/// The configuration of a production hub.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where to listen.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// `postgres://…` or `sqlite:PATH`; the variable `DATABASE_URL` goes before it.
    pub database: String,
    /// The audience (`aud`) that tokens must name.
    pub audience: String,
    /// What the node is called in the access log.
    #[serde(default = "default_node")]
    pub node: String,
    /// How the hub tells what it does.
    #[serde(default)]
    pub log: LogFormat,
    /// Where `/metrics` is shown, apart from all else; nowhere where it is not set.
    pub metrics_listen: Option<SocketAddr>,
    /// The OpenTelemetry collector that is sent spans, `http://HOST:PORT`; none is where it is not set.
    #[serde(default, deserialize_with = "collector")]
    pub otlp_endpoint: Option<Uri>,
    /// Whether the playground is served, for callers with a token of their own.
    #[serde(default)]
    pub playground: bool,
    /// When the silence of a handover goes further, by kind.
    #[serde(default)]
    pub handover: BTreeMap<String, AlarmConfig>,
    /// The agencies of the hub.
    #[serde(default)]
    pub agency: Vec<AgencyConfig>,
    /// The issuers whose tokens are taken.
    #[serde(default)]
    pub issuer: Vec<IssuerConfig>,
}

/// How long after the expected arrival an unconfirmed handover goes further. Both agencies are told at once.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlarmConfig {
    /// Hours until the county board's coordinator is told.
    pub county_after_hours: i64,
    /// Hours until a missing episode is proposed.
    pub episode_after_hours: i64,
}

/// An agency.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgencyConfig {
    /// Its name in this configuration.
    pub code: String,
    /// What kind of agency it is: `SOCIAL_SERVICES` …
    pub kind: String,
    /// Its name.
    pub name: String,
    /// `NNNNNN-NNNN`.
    pub organisation_number: Option<String>,
    /// Four digits (*kommunkod*).
    pub municipality: Option<String>,
    /// Two digits (*länskod*).
    pub county: Option<String>,
}

/// An issuer of tokens: it speaks for one agency.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerConfig {
    /// The exact `iss` of its tokens.
    pub issuer: String,
    /// The code of the agency it speaks for.
    pub agency: String,
    /// The roles it may give.
    #[serde(deserialize_with = "roles")]
    pub roles: Vec<Role>,
    /// The systems (`client_id`) it may speak for; any where none is named.
    #[serde(default)]
    pub clients: Vec<String>,
    /// How long its tokens may live, in seconds.
    #[serde(default = "default_life")]
    pub longest_life_seconds: i64,
    /// Its public keys.
    #[serde(default)]
    pub jwks: Jwks,
    /// A file with its public keys, beside the configuration.
    pub jwks_file: Option<PathBuf>,
}

/// A JWK Set (RFC 7517).
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Jwks {
    /// The keys.
    pub keys: Vec<serde_json::Value>,
}

fn default_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8080))
}

fn default_node() -> String {
    "hub".to_owned()
}

const fn default_life() -> i64 {
    600
}

fn roles<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Role>, D::Error> {
    let codes = Vec::<String>::deserialize(deserializer)?;
    codes.iter().map(|code| code.parse().map_err(serde::de::Error::custom)).collect()
}

fn collector<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Uri>, D::Error> {
    let collector = |text: String| {
        let uri = text.parse::<Uri>().ok().filter(|uri| {
            let plain = uri.scheme_str() == Some("http") && uri.host().is_some_and(|host| !host.is_empty());
            plain && matches!(uri.path(), "" | "/") && uri.query().is_none() && !text.contains('@')
        });
        uri.ok_or(ConfigError::Otlp)
    };
    Option::<String>::deserialize(deserializer)?.map(collector).transpose().map_err(serde::de::Error::custom)
}

/// What is wrong with a TOML file, without the line that the parser quotes: it may hold a password.
fn unquoted(error: &str) -> String {
    let lines: Vec<&str> = error.lines().filter(|line| !line.contains('|')).map(str::trim).collect();
    lines.join(" ")
}

/// What the names of the sandbox's issuers begin with. Production takes none of them.
pub const SANDBOX_ISSUER: &str = "https://sandbox.samverka.invalid/";

impl Config {
    /// Reads a configuration file, with `DATABASE_URL` and the variables `SAMVERKA_…` that README names over it.
    ///
    /// # Errors
    ///
    /// Whatever is missing, unknown or wrong in it, by name.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let unreadable = |error: &dyn std::fmt::Display| ConfigError::Unreadable(error.to_string());
        let missing = |error| ConfigError::Unreadable(format!("`{}`: {error}", path.display()));
        let text = std::fs::read_to_string(path).map_err(missing)?;
        let overrides =
            Env::prefixed("SAMVERKA_").only(&["listen", "node", "log", "audience", "metrics_listen", "otlp_endpoint"]);
        let database = Env::raw().only(&["DATABASE_URL"]).map(|_| "database".into());
        let figment = Figment::from(Toml::string(&text)).merge(overrides).merge(database);
        let mut config: Config = figment.extract().map_err(|error| unreadable(&unquoted(&error.to_string())))?;
        let folder = path.parent().unwrap_or_else(|| Path::new("."));
        for issuer in &mut config.issuer {
            issuer.complete(folder)?;
        }
        Ok(config)
    }

    /// The agencies, checked.
    ///
    /// # Errors
    ///
    /// The first whose kind, number or code is wrong; the first issuer that speaks for none of them, or gives a role that
    /// is not its agency's to have.
    pub fn agencies(&self) -> Result<Vec<NewAgency>, ConfigError> {
        let agencies = self.agency.iter().map(AgencyConfig::checked).collect::<Result<Vec<_>, _>>()?;
        for issuer in &self.issuer {
            let name = || issuer.issuer.clone();
            let agency = agencies.iter().find(|agency| agency.code == issuer.agency);
            let agency = agency.ok_or_else(|| ConfigError::Nobody { issuer: name(), agency: issuer.agency.clone() })?;
            if let Some(role) = issuer.roles.iter().find(|role| !agency.kind.roles().contains(role)) {
                return Err(ConfigError::Role { issuer: name(), role: *role, kind: agency.kind.code() });
            }
        }
        Ok(agencies)
    }
}

impl Config {
    /// When the silence of a handover goes further, checked.
    ///
    /// # Errors
    ///
    /// The first kind that is unknown, or whose hours cannot be.
    pub fn alarms(&self) -> Result<AlarmTimes, ConfigError> {
        let read = |(code, hours): (&String, &AlarmConfig)| {
            let AlarmConfig { county_after_hours: county, episode_after_hours: episode } = *hours;
            let kind = Kind::from_code(code).filter(|_| 0 <= county && county <= episode && episode <= 720);
            let alarms = Alarms { county: county.saturating_mul(HOUR), episode: episode.saturating_mul(HOUR) };
            kind.map(|kind| (kind, alarms)).ok_or_else(|| ConfigError::Handover(code.clone()))
        };
        Ok(AlarmTimes(self.handover.iter().map(read).collect::<Result<_, _>>()?))
    }
}

impl AgencyConfig {
    fn checked(&self) -> Result<NewAgency, ConfigError> {
        let failed = |reason: String| ConfigError::Agency { code: self.code.clone(), reason };
        let kind = AgencyKind::from_code(&self.kind).ok_or_else(|| {
            let kinds: Vec<&str> = AgencyKind::ALL.iter().map(|kind| kind.code()).collect();
            failed(format!("`kind` must be one of {}", kinds.join(", ")))
        })?;
        let agency = NewAgency {
            code: self.code.clone(),
            kind,
            name: self.name.clone(),
            organisation_number: self.organisation_number.clone(),
            municipality: self.municipality.clone(),
            county: self.county.clone(),
        };
        agency.checked().map_err(|invalid| failed(format!("a number or code is wrong ({invalid:?})")))
    }
}

impl IssuerConfig {
    fn complete(&mut self, folder: &Path) -> Result<(), ConfigError> {
        if self.issuer.starts_with(SANDBOX_ISSUER) {
            return Err(ConfigError::Sandbox(self.issuer.clone()));
        }
        if [Role::PoliceMissing, Role::PoliceBorder].iter().all(|role| self.roles.contains(role)) {
            return Err(ConfigError::Roles(self.issuer.clone()));
        }
        if !(1..=3600).contains(&self.longest_life_seconds) {
            return Err(ConfigError::Life(self.issuer.clone()));
        }
        if let Some(file) = &self.jwks_file {
            let failed = || ConfigError::Jwks { issuer: self.issuer.clone(), file: file.display().to_string() };
            let text = std::fs::read_to_string(folder.join(file)).map_err(|_| failed())?;
            let read: Jwks = serde_json::from_str(&text).map_err(|_| failed())?;
            self.jwks.keys.extend(read.keys);
        }
        Ok(())
    }
}
