//! From an address to a pool of connections.

use std::{path::Path, time::Duration};

use deadpool_postgres::{
    Client, Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime,
};
use kernel::{Error, ErrorCode, Result};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use tokio_postgres::{
    Config, NoTls,
    config::{Host, SslMode},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::fault::Fault;
use crate::crypto::install_provider;

/// Connections kept by one process.
const CONNECTIONS: usize = 16;
/// To open a socket; a whole new connection may take twice that.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// To wait for a connection while all are in use.
const WAIT_LIMIT: Duration = Duration::from_secs(30);
/// Statements kept prepared on one connection. Conditions can be combined at will, so there must be an end.
const PREPARED: usize = 200;

/// What holds for every session. A process that dies in the middle of a batch must not hold up the others, and a server
/// set to acknowledge before it has written is told to write first; a stricter setting is left alone.
const SESSION: &str = "SET lock_timeout = '30s'; SET idle_in_transaction_session_timeout = '60s';
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'";

/// An address that can't be understood. It isn't repeated: it may hold a password.
pub(super) fn bad_address() -> Error {
    Error::new(
        ErrorCode::InvalidInput,
        "数据库地址（database.url）写法有误，应形如 postgres://用户:密码@主机:5432/库名?sslmode=require；密码中的特殊字符请用 %xx 书写。",
    )
}

/// A pool for an address; nothing is connected yet.
pub(super) fn pool(url: &str) -> Result<Pool> {
    let (config, encryption) = read(url)?;
    let options = ManagerConfig {
        recycling_method: RecyclingMethod::Fast,
    };
    let manager = match encryption {
        None => Manager::from_config(config, NoTls, options),
        Some(roots) => Manager::from_config(config, encrypted(roots.as_deref())?, options),
    };
    let session = Hook::async_fn(|client: &mut deadpool_postgres::ClientWrapper, _| {
        Box::pin(async move {
            client
                .batch_execute(SESSION)
                .await
                .map_err(HookError::Backend)
        })
    });
    Pool::builder(manager)
        .max_size(CONNECTIONS)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(WAIT_LIMIT))
        .create_timeout(Some(CONNECT_LIMIT * 2))
        .recycle_timeout(Some(CONNECT_LIMIT))
        .post_create(session)
        .build()
        .map_err(Error::internal)
}

/// A connection from the pool.
pub(super) async fn take(pool: &Pool) -> Result<Client, Fault> {
    let client = pool.get().await?;
    if client.statement_cache.size() > PREPARED {
        client.statement_cache.clear();
    }
    Ok(client)
}

/// Gives a connection back, or throws it away if it's of no more use.
pub(super) fn settle<T>(client: Client, result: Result<T, Fault>) -> Result<T, Fault> {
    if result.as_ref().is_err_and(|fault| fault.broken) {
        drop(Client::take(client));
    }
    result
}

/// The settings of an address, and whether to encrypt: with the system's root certificates or those of a file.
fn read(url: &str) -> Result<(Config, Option<Option<String>>)> {
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let (mut kept, mut roots) = (Vec::new(), None);
    for pair in query.split('&').filter(|p| !p.is_empty()) {
        match pair.split_once('=') {
            Some(("sslrootcert", _)) => roots = decoded(pair),
            // We never accept a certificate without checking it and the host's name, so these are all one.
            Some(("sslmode", "verify-ca" | "verify-full")) => kept.push("sslmode=require"),
            _ => kept.push(pair),
        }
    }
    let given = query.contains("sslmode=") || base.contains("sslmode=");
    let url = if kept.is_empty() {
        base.to_owned()
    } else {
        format!("{base}?{}", kept.join("&"))
    };
    let mut config: Config = url
        .parse()
        .map_err(|e: tokio_postgres::Error| bad_address().with_detail(e))?;
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(bad_address().with_detail("no host"));
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_LIMIT);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(Duration::from_secs(30));
    }
    config.keepalives_idle(Duration::from_secs(30));
    config.keepalives_interval(Duration::from_secs(10));
    config.keepalives_retries(3);
    if config.get_application_name().is_none() {
        config.application_name("citymind");
    }
    // The driver's own default is to prefer encryption; ours is plain, as an address without a word of it looks.
    if !given {
        config.ssl_mode(SslMode::Disable);
    }
    let encrypt = config.get_ssl_mode() != SslMode::Disable;
    Ok((config, encrypt.then_some(roots)))
}

fn decoded(pair: &str) -> Option<String> {
    let url = reqwest::Url::parse(&format!("x:?{pair}")).ok()?;
    let (_, value) = url.query_pairs().next()?;
    Some(value.into_owned()).filter(|v| !v.is_empty())
}

fn encrypted(roots: Option<&str>) -> Result<MakeRustlsConnect> {
    install_provider();
    let Some(path) = roots else {
        let (connect, doubtful) = MakeRustlsConnect::with_native_certs().map_err(|errors| {
            Error::new(
                ErrorCode::Storage,
                "本机没有可用的根证书，无法加密连接数据库。请安装系统根证书，或在 database.url 中用 sslrootcert 指明证书文件。",
            )
            .with_detail(format!("{errors:?}"))
        })?;
        if !doubtful.is_empty() {
            tracing::warn!(?doubtful, "root certificates that could not be read");
        }
        return Ok(connect);
    };
    let unreadable = |detail: String| {
        Error::new(
            ErrorCode::InvalidInput,
            format!("database.url 中 sslrootcert 指明的证书文件 {path} 无法读取，应为 PEM 格式。"),
        )
        .with_detail(detail)
    };
    let mut store = rustls::RootCertStore::empty();
    for certificate in
        CertificateDer::pem_file_iter(Path::new(path)).map_err(|e| unreadable(e.to_string()))?
    {
        let certificate = certificate.map_err(|e| unreadable(e.to_string()))?;
        store
            .add(certificate)
            .map_err(|e| unreadable(e.to_string()))?;
    }
    if store.is_empty() {
        return Err(unreadable("no certificate".to_owned()));
    }
    Ok(MakeRustlsConnect::new(
        rustls::ClientConfig::builder()
            .with_root_certificates(store)
            .with_no_client_auth(),
    ))
}

/// Where an address leads, without its password.
pub(super) fn place(url: &str) -> String {
    let Ok((config, _)) = read(url) else {
        return String::new();
    };
    let hosts: Vec<String> = config
        .get_hosts()
        .iter()
        .map(|host| match host {
            Host::Tcp(name) => name.clone(),
            #[cfg(unix)]
            Host::Unix(path) => path.display().to_string(),
        })
        .collect();
    let port = config.get_ports().first().copied().unwrap_or(5432);
    format!(
        "{}:{port}/{}",
        hosts.join(","),
        config.get_dbname().unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_whether_and_how_to_encrypt() {
        let encryption = |url| read(url).unwrap().1;
        assert_eq!(encryption("postgres://u@h/d"), None);
        assert_eq!(encryption("postgres://u@h/d?sslmode=disable"), None);
        assert_eq!(encryption("postgres://u@h/d?sslmode=prefer"), Some(None));
        assert_eq!(encryption("host=h user=u sslmode=require"), Some(None));
        assert_eq!(
            encryption("postgres://u@h/d?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem"),
            Some(Some("/etc/ca.pem".to_owned()))
        );
    }

    #[test]
    fn a_wrong_address_is_refused_without_repeating_its_password() {
        for url in [
            "postgres://u:s3cret@h:x/d",
            "postgres://u:s3cret@/d",
            "",
            "s3cret",
        ] {
            let refused = pool(url).unwrap_err();
            assert_eq!(refused.code, ErrorCode::InvalidInput, "{url}");
            assert!(refused.message.contains("database.url"));
            assert!(!format!("{refused:?}").contains("s3cret"));
        }
    }

    #[test]
    fn the_place_of_an_address_leaves_the_password_out() {
        assert_eq!(
            place("postgres://u:s3cret@db1,db2:6543/city"),
            "db1,db2:5432/city"
        );
    }
}
