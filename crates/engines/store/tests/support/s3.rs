//! An S3 server for tests: moto, installed once into a virtual environment beside the build. Any crate's tests can include
//! this file by `#[path]`.

#![allow(dead_code, reason = "each test binary uses a part")]

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU32, Ordering},
    },
};

/// The name of the only key that the server knows.
pub(crate) const ACCESS_KEY: &str = "citymind";
/// Its secret.
pub(crate) const SECRET_KEY: &str = "a secret/with+signs";

const SERVER: &str = include_str!("s3_server.py");

/// A running server, ended when dropped.
pub(crate) struct Server {
    process: Child,
    port: u16,
}

/// A server that the tests of one binary share; each takes a bucket of its own. `None`, with a line that says so, where it
/// can't be installed.
pub(crate) fn shared() -> Option<Arc<Server>> {
    static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(server) = shared.upgrade() {
        return Some(server);
    }
    let server = Arc::new(Server::start()?);
    *shared = Arc::downgrade(&server);
    Some(server)
}

impl Server {
    /// Starts a server of its own.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// Starts a server that speaks HTTPS, with a certificate and its key.
    pub(crate) fn encrypted(certificate: &Path, key: &Path) -> Option<Self> {
        Self::start_with(&[certificate, key])
    }

    fn start_with(encryption: &[&Path]) -> Option<Self> {
        let Some(python) = installed() else {
            skipped(
                "no S3 server to test with (Python 3 and the packages moto[s3], flask, flask-cors)",
            );
            return None;
        };
        let mut process = Command::new(python)
            .args(["-c", SERVER, ACCESS_KEY, SECRET_KEY])
            .args(encryption)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the S3 server");
        let mut line = String::new();
        let output = process.stdout.as_mut().expect("its output");
        BufReader::new(output).read_line(&mut line).expect("a port");
        let port = line.trim().parse().expect("a port");
        Some(Self { process, port })
    }

    /// Its address, without the scheme.
    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// A new bucket.
    pub(crate) fn bucket(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("city-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.tell(&format!("bucket/{name}"));
        name
    }

    /// Answers the next requests with an error.
    pub(crate) fn fail(&self, count: u32, status: u16, code: &str) {
        self.tell(&format!("fail/{count}/{status}/{code}"));
    }

    fn tell(&self, what: &str) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the S3 server");
        let request =
            format!("GET /-/{what} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("told");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.contains(" 200 "), "{what}: {answer}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Says that a test was skipped. Written past the capture of a test's output, which shows failures only.
pub(crate) fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}

/// The Python that has what the server needs.
fn installed() -> Option<PathBuf> {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()?
        .join("tools-s3");
    std::fs::create_dir_all(&home).ok()?;
    // Several test binaries may come here at once.
    let lock = File::create(home.join("lock")).ok()?;
    lock.lock().ok()?;
    let (python, ready) = (home.join("bin/python"), home.join("ready"));
    if !ready.exists() {
        let done = |command: &mut Command| command.output().is_ok_and(|o| o.status.success());
        let made = done(Command::new("python3").args(["-m", "venv"]).arg(&home))
            && done(
                Command::new(&python)
                    .args(["-m", "pip", "install", "--quiet", "--timeout", "20"])
                    .args(["moto[s3]>=5,<6", "flask", "flask-cors"]),
            );
        if !made {
            return None;
        }
        File::create(ready).ok()?;
    }
    Some(python)
}
