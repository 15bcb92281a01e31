//! `citymind serve`.

use std::{net::SocketAddr, sync::Arc};

use clap::Args;
use engine_store::Holder;
use kernel::{Error, ErrorCode, Result};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

use super::{DataArgs, note};
use crate::{
    demo,
    http::{self, Limits, Providers, Readiness},
    wiring::App,
};

#[derive(Args)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    data: DataArgs,
    /// 监听地址，如 127.0.0.1:8080
    #[arg(long)]
    listen: Option<String>,
    /// 数据目录为空时载入演示城市
    #[arg(long)]
    demo: bool,
}

pub(super) async fn run(args: ServeArgs) -> Result<()> {
    let config = args.data.load()?;
    let listen = args.listen.unwrap_or_else(|| config.server.listen.clone());
    let app = Arc::new(App::open(&args.data.data, config).await?);
    let listener = TcpListener::bind(&listen).await.map_err(|e| {
        Error::new(
            ErrorCode::InvalidInput,
            format!("不能监听 {listen}：{e}。请换一个地址或端口（--listen）。"),
        )
    })?;
    let address = listener.local_addr().map_err(Error::internal)?;
    app.folder.announce(&Holder {
        address: address.to_string(),
        key: app.local_key.clone(),
    })?;
    let ready = Readiness::default();
    let limits = Arc::new(Limits::new(&app.config.rates));
    let state = http::State {
        app: app.clone(),
        ready: ready.clone(),
        limits: limits.clone(),
        providers: Providers::open(&app, address, args.demo)?,
        conversations: Arc::default(),
    };
    let resumed = app.imports.resume().await?;
    if resumed > 0 {
        tracing::info!(resumed, "imports that were cut off go on");
    }
    let work = app.work();
    let (stop, stopping) = watch::channel(false);
    let server = tokio::spawn(serve(listener, state, stopping));

    if args.demo {
        demo::load(&app).await?;
    }
    // Before anybody can think it ready to be stopped.
    let signals = Signals::listen()?;
    ready.set();
    let documents = app.library.count().await?;
    tracing::info!(
        documents,
        clauses = app.library.passages(),
        "CityMind 已就绪：http://{address}  （{}，Ctrl C 停止）",
        app.models.runs_on().told()
    );
    if let Some(link) = app.identity.setup_link().await? {
        let base = if app.config.server.public_url.is_empty() {
            format!("http://{address}")
        } else {
            app.config
                .server
                .public_url
                .trim_end_matches('/')
                .to_owned()
        };
        // Not through the log filter: whoever silences the log must still be let in.
        note(&format!(
            "尚无管理员。请打开一次性链接设置管理员账号（72 小时内有效，重新启动会换新链接）：\n  {base}{}",
            link.path
        ));
    }
    if !address.ip().is_loopback() && !app.config.server.public_url.starts_with("https:") {
        tracing::warn!(
            "正在监听本机以外的地址，且没有设置 HTTPS：密码会以明文经过网络。请在前面放置 HTTPS 反向代理，并设置 server.public_url"
        );
    }
    sweep(&app, &limits);
    signals.received().await;
    tracing::info!("正在停止");
    let _ = stop.send(true);
    server.await.map_err(Error::internal)??;
    work.stop().await;
    app.close().await?;
    app.folder.retract();
    Ok(())
}

/// Forgets what counts no more, from time to time.
fn sweep(app: &Arc<App>, limits: &Arc<Limits>) {
    let (app, limits) = (Arc::downgrade(app), Arc::downgrade(limits));
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(std::time::Duration::from_secs(600));
        loop {
            tick.tick().await;
            let (Some(app), Some(limits)) = (app.upgrade(), limits.upgrade()) else {
                return;
            };
            limits.sweep();
            if let Err(error) = app.identity.sweep().await {
                tracing::warn!(
                    detail = error.detail,
                    "old sign-ins were not removed: {error}"
                );
            }
        }
    });
}

async fn serve(
    listener: TcpListener,
    state: http::State,
    mut stopping: watch::Receiver<bool>,
) -> Result<()> {
    let service = http::router(state).into_make_service_with_connect_info::<SocketAddr>();
    let mut deadline = stopping.clone();
    let server = axum::serve(listener, service).with_graceful_shutdown(async move {
        let _ = stopping.wait_for(|s| *s).await;
    });
    // Streams that nobody ends must not hold the process: what is stored is stored already.
    let patience = async move {
        let _ = deadline.wait_for(|s| *s).await;
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    };
    tokio::select! {
        done = server => done.map_err(Error::internal),
        () = patience => Ok(()),
    }
}

/// The signals that end the service in good order.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).map_err(Error::internal)?,
            interrupt: signal(SignalKind::interrupt()).map_err(Error::internal)?,
        })
    }

    async fn received(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
