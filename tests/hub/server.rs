//! A hub on the loopback: the answers that the real one and its store of large files give, and what may go wrong with them.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ring::digest;

/// The files of a repository.
pub(crate) const CONFIG: (&str, &[u8]) = ("config.json", b"{\"architecture\": \"densenet121\"}");
/// Its weights' name.
pub(crate) const WEIGHTS: &str = "model.safetensors";

/// How long a test waits before it fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// The commit that every revision stands for.
pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// What a client asks.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    /// By their names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
}

impl Request {
    /// Whether it asks the store, which has the bytes of large files.
    pub(crate) fn is_to_store(&self) -> bool {
        self.path.starts_with("/store/")
    }

    fn read(stream: &TcpStream) -> Option<Self> {
        let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
        let first = lines.next()?;
        let mut words = first.split(' ').map(str::to_owned);
        let (method, path) = (words.next()?, words.next()?);
        let headers = lines.take_while(|line| !line.is_empty()).filter_map(|line| {
            let (name, value) = line.split_once(": ")?;
            Some((name.to_lowercase(), value.to_owned()))
        });
        Some(Self { method, path, headers: headers.collect() })
    }
}

/// What it gets.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: &'static str,
    pub(crate) headers: BTreeMap<&'static str, String>,
    pub(crate) body: Vec<u8>,
    /// Waits before the answer.
    pub(crate) silence: Duration,
    /// Bytes of the body that are sent at once; 0 is all.
    pub(crate) piece: usize,
    /// Waits after each piece.
    pub(crate) pause: Duration,
    /// Ends the connection after the first piece.
    pub(crate) cut: bool,
}

impl Reply {
    pub(crate) fn new(status: &'static str, body: &[u8]) -> Self {
        let headers = BTreeMap::from([("Content-Length", body.len().to_string())]);
        Self { status, headers, body: body.to_vec(), silence: Duration::ZERO, piece: 0, pause: Duration::ZERO, cut: false }
    }

    pub(crate) fn with(mut self, header: &'static str, value: impl ToString) -> Self {
        self.headers.insert(header, value.to_string());
        self
    }

    pub(crate) fn without(mut self, header: &'static str) -> Self {
        self.headers.remove(header);
        self
    }

    /// With the body in chunks, without its length.
    pub(crate) fn chunked(mut self) -> Self {
        let head = format!("{:x}\r\n", self.body.len());
        self.body = [head.as_bytes(), &self.body, b"\r\n0\r\n\r\n"].concat();
        self.without("Content-Length").with("Transfer-Encoding", "chunked")
    }

    /// Cut off after `piece` bytes of the body.
    pub(crate) fn cut_after(self, piece: usize) -> Self {
        Self { piece, cut: true, ..self }
    }

    fn send(&self, mut stream: &TcpStream, with_body: bool) -> std::io::Result<()> {
        thread::sleep(self.silence);
        let headers: String = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        write!(stream, "HTTP/1.1 {}\r\nConnection: close\r\n{headers}\r\n", self.status)?;
        if with_body {
            let piece = if self.piece == 0 { usize::MAX } else { self.piece };
            for piece in self.body.chunks(piece).take(if self.cut { 1 } else { usize::MAX }) {
                stream.write_all(piece)?;
                thread::sleep(self.pause);
            }
        }
        Ok(())
    }
}

/// A running hub with a store of its own.
pub(crate) struct Server {
    /// Where the hub is.
    pub(crate) endpoint: String,
    asked: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Has these files in every repository and revision.
    pub(crate) fn new(files: &[(&'static str, &[u8])]) -> Self {
        Self::bent(files, |_, reply| reply)
    }

    /// Like [`Server::new`], with each answer changed by `bend`.
    pub(crate) fn bent(files: &[(&'static str, &[u8])], bend: impl Fn(&Request, Reply) -> Reply + Send + Sync + 'static) -> Self {
        let files: BTreeMap<String, Vec<u8>> = files.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())).collect();
        let hub = TcpListener::bind("127.0.0.1:0").unwrap();
        let store = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", hub.local_addr().unwrap());
        // Another name than the hub's: what a client sends to the hub alone must not arrive here.
        let store_endpoint = format!("http://localhost:{}", store.local_addr().unwrap().port());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let answer = Arc::new(move |request: &Request| {
            log.lock().unwrap().push(request.clone());
            bend(request, answer(&files, &store_endpoint, request))
        });
        for listener in [hub, store] {
            let answer = Arc::clone(&answer);
            thread::spawn(move || {
                for stream in listener.incoming().map_while(Result::ok) {
                    let answer = Arc::clone(&answer);
                    thread::spawn(move || {
                        let request = Request::read(&stream)?;
                        // A client may leave before the end.
                        let _ = answer(&request).send(&stream, request.method != "HEAD");
                        Some(())
                    });
                }
            });
        }
        Self { endpoint, asked }
    }

    /// Every request so far.
    pub(crate) fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }

    /// Method and path of every request so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.asked().iter().map(|request| format!("{} {}", request.method, request.path)).collect()
    }
}

/// Large files are in the store, small ones behind a redirect inside the hub: as huggingface.co has them.
fn answer(files: &BTreeMap<String, Vec<u8>>, store: &str, request: &Request) -> Reply {
    let file = |path: &str| files.get_key_value(path.splitn(6, '/').nth(5)?);
    if request.is_to_store() {
        let Some(bytes) = files.values().find(|bytes| request.path.ends_with(&sha256(bytes))) else {
            return Reply::new("403 Forbidden", b"AccessDenied");
        };
        return match request.headers.get("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()) {
            None => Reply::new("200 OK", bytes),
            Some(start @ 0usize..) => Reply::new("206 Partial Content", &bytes[start..])
                .with("Content-Range", format!("bytes {start}-{}/{}", bytes.len() - 1, bytes.len())),
        };
    }
    if let Some(path) = request.path.strip_prefix("/small") {
        let (_, bytes) = file(path).unwrap();
        return Reply::new("200 OK", bytes).with("ETag", format!("W/\"{}\"", &sha256(bytes)[..40])).with("X-Repo-Commit", COMMIT);
    }
    match file(&request.path) {
        None => Reply::new("404 Not Found", b"Entry not found").with("X-Error-Code", "EntryNotFound"),
        Some((name, _)) if name.ends_with(".json") => Reply::new("307 Temporary Redirect", b"Temporary Redirect. Redirecting")
            .with("Location", format!("/small{}", request.path))
            .with("X-Repo-Commit", COMMIT),
        Some((_, bytes)) => Reply::new("302 Found", b"Found. Redirecting")
            .with("Location", format!("{store}/store/{}", sha256(bytes)))
            .with("X-Repo-Commit", COMMIT)
            .with("X-Linked-Etag", format!("\"{}\"", sha256(bytes)))
            .with("X-Linked-Size", bytes.len())
            .with("ETag", "\"of the redirect\""),
    }
}

/// In hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    digest::digest(&digest::SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Waits for `condition`, which will hold soon.
#[track_caller]
pub(crate) fn until(condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < PATIENCE, "this does not happen");
        thread::sleep(Duration::from_millis(10));
    }
}

/// An answer of a store that waits for a second client.
pub(crate) fn for_two_at_once() -> impl Fn(&Request, Reply) -> Reply + Send + Sync {
    let at_store = AtomicUsize::new(0);
    move |request, reply| {
        if request.is_to_store() {
            at_store.fetch_add(1, Ordering::Relaxed);
            until(|| at_store.load(Ordering::Relaxed) > 1);
        }
        reply
    }
}

/// Every file below a folder; links too.
pub(crate) fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_in(&path) } else { vec![path] }).collect()
}
