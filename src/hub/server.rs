//! HTTP requests to the hub: the metadata of a file, and its bytes.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::time::Duration;

use ring::digest;
use ureq::config::RedirectAuthHeaders;
use ureq::http::{Response, StatusCode};
use ureq::typestate::WithoutBody;
use ureq::{Agent, Body, RequestBuilder, Timeout};

use super::cache::{Part, at};
use crate::error::{Error, Result};

/// How long to wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// How often an interrupted download is resumed.
const RESUMED: usize = 3;
/// How many redirects within the hub are followed.
const REDIRECTS: usize = 5;

/// A connection to a hub.
pub(super) struct Server {
    agent: Agent,
    endpoint: String,
    token: Option<String>,
    patience: Duration,
}

/// The metadata of a file before it is downloaded.
pub(super) struct Announced {
    url: String,
    /// The commit of the revision.
    pub(super) commit: String,
    /// An identifier of the content: the SHA-256 of large files.
    pub(super) etag: String,
    /// In bytes.
    pub(super) length: u64,
}

impl Server {
    /// A server at `endpoint`, with timeouts of `patience`. Opens no socket yet.
    pub(super) fn new(endpoint: &str, token: Option<String>, patience: Duration) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .https_only(endpoint.starts_with("https://"))
            .redirect_auth_headers(RedirectAuthHeaders::SameHost)
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(CONNECT))
            .timeout_connect(Some(CONNECT))
            .timeout_recv_response(Some(patience))
            .timeout_per_read(Some(patience))
            .timeout_per_write(Some(patience))
            .build()
            .new_agent();
        Self { agent, endpoint: endpoint.trim_end_matches('/').to_owned(), token, patience }
    }

    /// The URL of a file.
    pub(super) fn url(&self, repository: &str, revision: &str, file: &str) -> String {
        format!("{}/{repository}/resolve/{}/{}", self.endpoint, encoded(revision, ""), encoded(file, "/"))
    }

    /// The metadata of a file; `None` if it does not exist. Errors for other responses.
    pub(super) fn announce(&self, repository: &str, revision: &str, file: &str) -> Result<Option<Announced>> {
        let asked = self.url(repository, revision, file);
        let mut url = asked.clone();
        for _ in 0..=REDIRECTS {
            let request = self.agent.head(&url).config().max_redirects(0).build();
            let response = self.send(request, &asked)?;
            if response.status() == StatusCode::NOT_FOUND {
                return Ok(None);
            }
            // Follow redirects within the hub, as after a renaming. Other hosts do not know commits.
            match text(&response, "location") {
                Some(path) if response.status().is_redirection() && path.starts_with('/') && !path.starts_with("//") => {
                    let origin = url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
                    url = format!("{origin}{path}");
                }
                _ => return self.announced(&response, &asked, |commit| self.url(repository, commit, file)).map(Some),
            }
        }
        Err(hub(&asked, format!("more than {REDIRECTS} redirects")))
    }

    fn announced(&self, response: &Response<Body>, asked: &str, url: impl Fn(&str) -> String) -> Result<Announced> {
        let status = response.status();
        if !status.is_success() && !status.is_redirection() {
            return Err(refusal(response, asked));
        }
        let header = |names: &[&str]| names.iter().find_map(|name| text(response, name));
        let identifier = |found: Option<&str>| {
            // It becomes the name of a file.
            let word = found?.trim_start_matches("W/").trim_matches('"');
            let letters = word.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
            (letters && !word.is_empty() && !word.starts_with('.')).then(|| word.to_owned())
        };
        let own_length = if status.is_success() { "content-length" } else { "x-linked-size" };
        let commit = identifier(header(&["x-repo-commit"]));
        let etag = identifier(header(&["x-linked-etag", "etag"]));
        let length = header(&["x-linked-size", own_length]).and_then(|length| length.parse().ok());
        let (Some(commit), Some(etag), Some(length)) = (commit, etag, length) else {
            return Err(hub(
                asked,
                "expected a file's commit, etag and length as the Hugging Face hub says them, found none (HF_ENDPOINT?)",
            ));
        };
        Ok(Announced { url: url(&commit), commit, etag, length })
    }

    /// Downloads the file into `part`. Errors if that fails or the file is incomplete.
    pub(super) fn download(&self, announced: &Announced, part: &mut Part, progress: &mut dyn FnMut(u64, u64)) -> Result<()> {
        let mut done = 0;
        progress(done, announced.length);
        for _ in 0..=RESUMED {
            self.receive(announced, &mut done, part, progress)?;
            if done == announced.length {
                return check_content(announced, part);
            }
        }
        let Announced { url, length, .. } = announced;
        Err(hub(url, format!("the transfer ended after {done} of {length} bytes, {} times", RESUMED + 1)))
    }

    /// Appends to the `done` bytes in `part`, until the end of the file or of the connection.
    fn receive(&self, announced: &Announced, done: &mut u64, part: &mut Part, progress: &mut dyn FnMut(u64, u64)) -> Result<()> {
        let Announced { url, length, .. } = announced;
        let mut request = self.agent.get(url);
        if *done > 0 {
            request = request.header("range", format!("bytes={done}-"));
        }
        let response = self.send(request, url)?;
        match response.status() {
            // A server without ranges sends the file from its beginning.
            StatusCode::OK => {
                *done = 0;
                part.file.set_len(0).and_then(|()| part.file.rewind()).map_err(at(&part.path))?;
            }
            StatusCode::PARTIAL_CONTENT if text(&response, "content-range").is_some_and(|r| r.starts_with(&format!("bytes {done}-"))) => {}
            _ => return Err(refusal(&response, url)),
        }
        let wrong = |found: u64| hub(url, format!("expected {length} bytes as announced, found {found}"));
        if let Some(rest) = text(&response, "content-length").and_then(|length| length.parse::<u64>().ok())
            && rest.saturating_add(*done) != *length
        {
            return Err(wrong(rest.saturating_add(*done)));
        }
        let mut body = response.into_body().into_reader();
        let mut buffer = vec![0; 1 << 16];
        loop {
            match body.read(&mut buffer).map_err(ureq::Error::from) {
                Ok(0) => return Ok(()),
                Ok(read) => {
                    *done += read as u64;
                    if *done > *length {
                        return Err(wrong(*done));
                    }
                    part.file.write_all(&buffer[..read]).map_err(at(&part.path))?;
                    progress(*done, *length);
                }
                Err(ureq::Error::Timeout(_)) => {
                    return Err(hub(url, format!("nothing came for {:?}, after {done} of {length} bytes", self.patience)));
                }
                Err(_) => return Ok(()),
            }
        }
    }

    fn send(&self, request: RequestBuilder<WithoutBody>, url: &str) -> Result<Response<Body>> {
        // A compressed response would have another length.
        let mut request = request.header("accept-encoding", "identity");
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        request.call().map_err(|error| {
            hub(
                url,
                match error {
                    ureq::Error::HostNotFound => "there is no such host, or no network".to_owned(),
                    ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect) => format!("no connection within {CONNECT:?}"),
                    ureq::Error::Timeout(_) => format!("no answer within {:?}", self.patience),
                    ureq::Error::Io(error) => error.to_string(),
                    other => other.to_string(),
                },
            )
        })
    }
}

/// Errors if `part` does not have the SHA-256 that was announced.
fn check_content(announced: &Announced, part: &mut Part) -> Result<()> {
    // The etag of a small file is a git hash.
    if announced.etag.len() != 2 * digest::SHA256_OUTPUT_LEN {
        return Ok(());
    }
    let found = sha256(&mut part.file).map_err(at(&part.path))?;
    if found.eq_ignore_ascii_case(&announced.etag) {
        return Ok(());
    }
    Err(hub(&announced.url, format!("expected content of SHA-256 {}, found {found}", announced.etag)))
}

fn sha256(file: &mut (impl Read + Seek)) -> io::Result<String> {
    let mut hash = digest::Context::new(&digest::SHA256);
    let mut buffer = vec![0; 1 << 16];
    file.seek(SeekFrom::Start(0))?;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hash.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()),
            read => hash.update(&buffer[..read]),
        }
    }
}

/// The error for a response that is not a file.
fn refusal(response: &Response<Body>, url: &str) -> Error {
    let status = response.status();
    let meaning = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            ": the repository is private or gated, or there is none of this name; set HF_TOKEN to a token that may read it"
        }
        _ => "",
    };
    let said = text(response, "x-error-message").map(|said| format!(" ({said})")).unwrap_or_default();
    hub(url, format!("the server answers {status}{meaning}{said}"))
}

fn text<'a>(response: &'a Response<Body>, header: &str) -> Option<&'a str> {
    response.headers().get(header)?.to_str().ok()
}

fn hub(address: &str, reason: impl Into<String>) -> Error {
    Error::Hub { address: address.to_owned(), reason: reason.into() }
}

/// Percent-encodes a part of a URL's path, except the characters in `kept`.
fn encoded(text: &str, kept: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || kept.as_bytes().contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
