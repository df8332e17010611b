//! `postroom serve`: the Web API and the workers, until asked to end.

use std::sync::Arc;
use std::time::Duration;

use actions::Random;
use actions::bulk::Bench;
use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tracing_subscriber::EnvFilter;

use super::Common;
use crate::clock::SystemClock;
use crate::config::{Config, Log};
use crate::session::{self, Session};

/// The pause between two looks for commands of pages.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Debug, Args)]
pub struct Serve {
    #[command(flatten)]
    common: Common,
    /// Address and port of the Web API.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// What this process does: several may share one PostgreSQL database.
    #[arg(long, value_enum, default_value_t = Role::All)]
    role: Role,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Role {
    /// Web API and workers.
    All,
    /// Web API only.
    Web,
    /// Workers only; still answers /healthz, /readyz and /metrics.
    Worker,
}

impl Serve {
    pub async fn run(self) -> Result<()> {
        let session = Session::open(&self.common.data).await?;
        start_log(&session.config.log)?;
        let metrics = start_metrics()?;
        let (stop, stopped) = watch::channel(false);
        let tls = session.config.tls(&session.data_dir)?.map(Arc::new);
        let listen = self.listen.unwrap_or_else(|| session.config.web.listen.clone());
        let listener =
            TcpListener::bind(&listen).await.with_context(|| format!("cannot listen on {listen}; is it in use?"))?;
        let engine = session.engine()?;
        if self.role != Role::Web && session.is_alone() {
            let freed = sync::free_orphans(&engine, session::has_ended).await?;
            if freed > 0 {
                tracing::info!(freed, "going on with what an earlier process was working on when it ended");
            }
        }
        let workers = (self.role != Role::Web).then(|| tokio::spawn(sync::serve(engine, stopped.clone())));
        let commands = (self.role != Role::Worker).then(|| {
            let clock = Arc::new(SystemClock);
            let bench = Bench::new(session.store.clone(), clock, Random::system(), session.settings());
            tokio::spawn(work_off(bench, stopped.clone()))
        });
        let state = web::AppState {
            store: session.store.clone(),
            clock: Arc::new(SystemClock),
            random: Random::system(),
            settings: session.settings(),
            metrics_render: Arc::new(move || metrics.render()),
            limits: (&session.config.limits).into(),
            proxies: session.config.proxies()?,
            sign_in: web::SignIn::new(session.config.sign_in.policy(), session.hasher())
                .with_provider(session.provider()?)
                .with_public_url(session.config.public_url()?),
        };
        let router = if self.role == Role::Worker { web::health_router(state) } else { web::router(state) };
        tracing::info!(listen, role = ?self.role, "Postroom is ready");
        let redirect = redirect(&session.config, &listener, stopped.clone()).await?;
        let web = match &tls {
            Some(tls) => tokio::spawn(web::serve_tls(listener, Arc::clone(tls), router, ended(stopped))),
            None => tokio::spawn(web::serve(listener, router, ended(stopped))),
        };
        tokio::select! {
            signal = wait_for_signal() => signal?,
            never = keep_certificate(tls.as_deref()) => never?,
        }
        tracing::info!("ending: what runs is finished first");
        let _ = stop.send(true);
        if let Some(workers) = workers {
            workers.await.context("the workers ended badly")?;
        }
        if let Some(commands) = commands {
            commands.await.context("the commands on many rows ended badly")?;
        }
        web.await.context("the Web API ended badly")??;
        if let Some(redirect) = redirect {
            redirect.await.context("the redirect to https ended badly")??;
        }
        Ok(())
    }
}

/// What people asked for on pages and that goes on afterwards, until the
/// process is to end; a row that was begun is finished.
async fn work_off(bench: Bench, mut stopped: watch::Receiver<bool>) {
    let stop = stopped.clone();
    while !*stopped.borrow() {
        match bench.work_off(|| *stop.borrow()).await {
            Ok(0) => {}
            Ok(_) => continue,
            Err(error) => tracing::error!(%error, "Bad: commands cannot be worked off; trying again"),
        }
        tokio::select! {
            () = sleep(LOOK) => {}
            _ = stopped.changed() => {}
        }
    }
}

/// When the process was asked to end.
async fn ended(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stop| *stop).await;
}

/// The listener that sends everybody to https, where there is to be one.
async fn redirect(
    config: &Config,
    https: &TcpListener,
    stopped: watch::Receiver<bool>,
) -> Result<Option<JoinHandle<std::io::Result<()>>>> {
    let address = &config.web.redirect_http;
    if address.is_empty() {
        return Ok(None);
    }
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("[web] redirect_http: cannot listen on {address}; is it in use?"))?;
    let router = web::redirect_router(https.local_addr()?.port());
    Ok(Some(tokio::spawn(web::serve(listener, router, ended(stopped)))))
}

/// Takes up a new certificate when its files change, at once on SIGHUP.
async fn keep_certificate(tls: Option<&web::Tls>) -> Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    let files = async {
        match tls {
            Some(tls) => tls.watch().await,
            None => std::future::pending().await,
        }
    };
    let asked = async {
        while hangup.recv().await.is_some() {
            match tls {
                Some(tls) => tls.reload(),
                None => tracing::info!("SIGHUP reads the certificate again; there is none"),
            }
        }
        std::future::pending::<()>().await;
    };
    tokio::join!(files, asked);
    Ok(())
}

async fn wait_for_signal() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => {}
        result = tokio::signal::ctrl_c() => result?,
    }
    Ok(())
}

fn start_log(log: &Log) -> Result<()> {
    let filter = EnvFilter::try_new(&log.level)
        .with_context(|| format!("[log] level: '{}' is not a filter; try \"info\"", log.level))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    let started = if log.json { builder.json().try_init() } else { builder.try_init() };
    started.map_err(|error| anyhow::anyhow!("cannot start the log: {error}"))
}

fn start_metrics() -> Result<PrometheusHandle> {
    const SECONDS: &[f64] = &[0.05, 0.25, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0];
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), SECONDS)?
        .install_recorder()
        .context("cannot start the metrics")?;
    metrics::describe_counter!("postroom_messages_total", "Messages read, by what became of them.");
    metrics::describe_counter!("postroom_sent_total", "Emails handed to a server, by outcome.");
    metrics::describe_counter!("postroom_failures_total", "Failed conversations with servers, by kind.");
    metrics::describe_counter!("postroom_events_total", "Attempts to deliver an event to a webhook, by outcome.");
    metrics::describe_gauge!("postroom_connections", "Open connections, by profile and host.");
    metrics::describe_gauge!("postroom_breaker_open", "1 while nobody tries this server.");
    metrics::describe_histogram!("postroom_lag_seconds", "How long after it was due a workload began.");
    Ok(handle)
}
