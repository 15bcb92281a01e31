//! A throw-away PostgreSQL for tests. Any crate's tests can include this file by `#[path]`; it needs only `tempfile`.
//!
//! PostgreSQL refuses to run as root; tests that run as root start it as the user `postgres` or `nobody`.

#![allow(dead_code, reason = "each test binary uses a part")]

use std::{
    fs,
    io::Write,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU32, Ordering},
    },
};

use tempfile::TempDir;

/// A running cluster, stopped and removed when dropped.
pub(crate) struct Cluster {
    bin: PathBuf,
    user: Option<&'static str>,
    port: u16,
    folder: TempDir,
}

/// A cluster that the tests of one binary share; each takes a schema of its own. `None`, with a line that says so, where
/// there is no PostgreSQL.
pub(crate) fn shared() -> Option<Arc<Cluster>> {
    static SHARED: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(cluster) = shared.upgrade() {
        return Some(cluster);
    }
    let cluster = Arc::new(Cluster::start()?);
    *shared = Arc::downgrade(&cluster);
    Some(cluster)
}

/// A schema name that no other test uses.
pub(crate) fn fresh_schema() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

impl Cluster {
    /// Makes and starts a cluster; `None`, with a line that says so, where there is no PostgreSQL.
    pub(crate) fn start() -> Option<Self> {
        let Some(bin) = binaries() else {
            skipped("no PostgreSQL on this machine (Debian package postgresql)");
            return None;
        };
        let folder = tempfile::Builder::new()
            .prefix("citymind-pg-")
            .tempdir()
            .expect("a temporary folder");
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|l| l.local_addr())
            .expect("a free port")
            .port();
        let cluster = Self {
            bin,
            user: unprivileged(),
            port,
            folder,
        };
        if let Some(user) = cluster.user {
            run(Command::new("chown").arg(user).arg(cluster.folder.path()));
        }
        cluster.make();
        cluster.resume();
        Some(cluster)
    }

    fn make(&self) {
        // A collation that is not by code point, where there is one: what relies on the default would show.
        let common = |command: &mut Command| {
            command
                .args(["-U", "citymind", "-A", "trust", "-E", "UTF8", "--no-sync"])
                .arg("-D")
                .arg(self.data());
        };
        let mut icu = self.tool("initdb");
        common(icu.args([
            "--locale=C.UTF-8",
            "--locale-provider=icu",
            "--icu-locale=zh",
        ]));
        if !output(&mut icu).status.success() {
            let mut plain = self.tool("initdb");
            common(&mut plain);
            run(&mut plain);
        }
        let settings = format!(
            "listen_addresses = '127.0.0.1'\nport = {}\nunix_socket_directories = '{}'\n\
             fsync = on\nshared_buffers = 16MB\nmax_connections = 100\nlog_min_messages = fatal\n",
            self.port,
            self.folder.path().display()
        );
        self.configure(&settings);
    }

    /// Adds settings, in force from the next start.
    pub(crate) fn configure(&self, settings: &str) {
        let mut file = fs::File::options()
            .append(true)
            .open(self.data().join("postgresql.conf"))
            .expect("postgresql.conf");
        file.write_all(settings.as_bytes()).expect("settings");
    }

    /// Where the cluster's files lie.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The address of its database.
    pub(crate) fn url(&self) -> String {
        format!("postgres://citymind@127.0.0.1:{}/postgres", self.port)
    }

    /// Stops it at once, as a crash would.
    pub(crate) fn crash(&self) {
        run(self.control().args(["-m", "immediate", "-w", "stop"]));
    }

    /// Starts it again.
    pub(crate) fn resume(&self) {
        // Not read to its end: the server holds on to the pipe.
        let log = self.folder.path().join("log");
        let status = self
            .control()
            .arg("-l")
            .arg(&log)
            .args(["-w", "start"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("pg_ctl");
        assert!(
            status.success(),
            "PostgreSQL did not start: {}",
            fs::read_to_string(log).unwrap_or_default()
        );
    }

    /// What `psql` answers to some SQL.
    pub(crate) fn psql(&self, sql: &str) -> String {
        let answer = output(
            self.tool("psql")
                .args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql])
                .arg(self.url()),
        );
        assert!(
            answer.status.success(),
            "{sql}: {}",
            String::from_utf8_lossy(&answer.stderr)
        );
        String::from_utf8_lossy(&answer.stdout).trim().to_owned()
    }

    fn control(&self) -> Command {
        let mut command = self.tool("pg_ctl");
        command.arg("-D").arg(self.data()).arg("-s");
        command
    }

    fn tool(&self, name: &str) -> Command {
        let program = self.bin.join(name);
        let mut command = match self.user {
            Some(user) => {
                let mut command = Command::new("runuser");
                command.args(["-u", user, "--"]).arg(program);
                command
            }
            None => Command::new(program),
        };
        // Somewhere that the user can enter, and with messages that can be read.
        command.current_dir("/").env("LC_ALL", "C.UTF-8");
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = output(self.control().args(["-m", "immediate", "-w", "stop"]));
    }
}

/// Says that a test was skipped. Written past the capture of a test's output, which shows failures only.
pub(crate) fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}

fn binaries() -> Option<PathBuf> {
    let complete =
        |folder: &Path| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file();
    // The newest packaged version first: what is in PATH may be a wrapper without its neighbours.
    let mut packaged: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .collect();
    packaged.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    packaged
        .into_iter()
        .rev()
        .chain(std::env::split_paths(&path))
        .find(|folder| complete(folder))
}

fn unprivileged() -> Option<&'static str> {
    let id = |arguments: &[&str]| output(Command::new("id").args(arguments));
    if String::from_utf8_lossy(&id(&["-u"]).stdout).trim() != "0" {
        return None;
    }
    ["postgres", "nobody"]
        .into_iter()
        .find(|user| id(&["-u", user]).status.success())
}

fn output(command: &mut Command) -> Output {
    command
        .output()
        .unwrap_or_else(|e| panic!("{command:?}: {e}"))
}

fn run(command: &mut Command) {
    let answer = output(command);
    assert!(
        answer.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&answer.stderr)
    );
}
