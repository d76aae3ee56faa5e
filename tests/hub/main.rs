//! Models from a hub: a server on the loopback plays it, each test has a cache of its own, and nothing leaves the machine.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod server;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use densenet_wgpu::hub::{Hub, Remote};
use densenet_wgpu::{Result, models};
use tempfile::TempDir;

use server::{COMMIT, CONFIG, PATIENCE, Reply, Request, Server, WEIGHTS, files_in, for_two_at_once, sha256};

/// A hub's client with an empty cache, and its folder.
fn client(server: &Server) -> (Hub, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut hub = Hub::new(folder.path());
    hub.endpoint = server.endpoint.clone();
    (hub, folder)
}

/// Bytes that are no other file's.
fn weights() -> Vec<u8> {
    (0..200_000u32).flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
}

fn remote(text: &str) -> Remote {
    text.parse().unwrap()
}

fn fetch(hub: &Hub, text: &str) -> Result<PathBuf> {
    hub.fetch(&remote(text), &mut |_, _| {})
}

/// The message; every part of it, and nothing in the cache that could be taken for a file.
#[track_caller]
fn assert_fails(hub: &Hub, text: &str, parts: &[&str]) {
    let message = fetch(hub, text).unwrap_err().to_string();
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in: {message}");
    }
    let left = files_in(&hub.cache);
    assert!(left.iter().all(|path| path.ends_with(CONFIG.0) || fs::read(path).unwrap() == CONFIG.1), "{left:?}");
    let offline = hub.clone().with_offline(true);
    assert!(fetch(&offline, text).is_err());
}

#[test]
fn a_file_comes_whole_with_its_config_into_the_layout_of_the_cache() {
    let weights = weights();
    let server = Server::new(&[(WEIGHTS, &weights), CONFIG]);
    let (hub, folder) = client(&server);
    let mut seen = Vec::new();
    let path = hub.fetch(&remote("hf://owner/tiny"), &mut |done, total| seen.push((done, total))).unwrap();

    let repository = folder.path().join("models--owner--tiny");
    let snapshot = repository.join("snapshots").join(COMMIT);
    assert_eq!(path, snapshot.join(WEIGHTS));
    assert!(fs::read(&path).unwrap() == weights);
    assert_eq!(fs::read(snapshot.join(CONFIG.0)).unwrap(), CONFIG.1);
    assert!(fs::read(repository.join("blobs").join(sha256(&weights))).unwrap() == weights);
    assert_eq!(fs::read_to_string(repository.join("refs/main")).unwrap(), COMMIT);
    assert_eq!(files_in(folder.path()).len(), 5, "{:?}", files_in(folder.path()));
    #[cfg(unix)]
    assert_eq!(fs::read_link(&path).unwrap(), Path::new("../../blobs").join(sha256(&weights)));

    let total = weights.len() as u64;
    assert_eq!((seen[0], *seen.last().unwrap()), ((0, total), (total, total)));
    assert!(seen.is_sorted());
}

#[test]
fn what_the_cache_has_is_not_asked_for_again() {
    let weights = weights();
    let server = Server::new(&[("sub%20folder/weights%231.pt", &weights)]);
    let (hub, _folder) = client(&server);
    let address = "hf://owner/tiny/sub folder/weights#1.pt";
    let path = fetch(&hub, address).unwrap();
    let asked = server.lines();
    assert_eq!(asked[0], "HEAD /owner/tiny/resolve/main/sub%20folder/weights%231.pt");
    let mut progress = 0;
    assert_eq!(hub.fetch(&remote(address), &mut |_, _| progress += 1).unwrap(), path);
    assert_eq!((server.lines(), progress), (asked, 0));
    assert!(fs::read(path).unwrap() == weights);
}

#[test]
fn offline_asks_nobody() {
    let server = Server::new(&[(WEIGHTS, b"weights")]);
    let (hub, folder) = client(&server);
    let offline = hub.clone().with_offline(true);
    assert_fails(&offline, "hf://owner/tiny", &["hf://owner/tiny: ", folder.path().to_str().unwrap(), "HF_HUB_OFFLINE"]);
    assert_eq!(server.lines(), [""; 0]);
    let path = fetch(&hub, "hf://owner/tiny").unwrap();
    let asked = server.lines();
    assert_eq!(fetch(&offline, "hf://owner/tiny").unwrap(), path);
    assert_eq!(fetch(&offline, "hf://owner/tiny/model.safetensors").unwrap(), path);
    assert!(fetch(&offline, "hf://owner/tiny@v1").is_err());
    assert_eq!(server.lines(), asked);
}

#[test]
fn without_a_name_the_first_file_with_weights_is_taken() {
    let server = Server::new(&[("model.pt", b"a pickle"), ("model.keras", b"an archive")]);
    let (hub, _folder) = client(&server);
    assert!(fetch(&hub, "hf://owner/tiny").unwrap().ends_with("model.pt"));
    let heads = ["model.safetensors", "pytorch_model.bin", "model.pt"].map(|file| format!("HEAD /owner/tiny/resolve/main/{file}"));
    assert_eq!(server.lines()[..3], heads);
    assert_eq!(server.lines()[3], format!("HEAD /owner/tiny/resolve/{COMMIT}/config.json"));

    let server = Server::new(&[("README.md", b"nothing else")]);
    let (hub, _folder) = client(&server);
    assert_fails(&hub, "hf://owner/tiny", &["/owner/tiny/resolve/main/model.safetensors: ", "404", "model.keras"]);
}

#[test]
fn a_revision_is_kept_under_its_name() {
    let server = Server::new(&[(WEIGHTS, b"weights")]);
    let (hub, folder) = client(&server);
    fetch(&hub, "hf://owner/tiny@refs%2Fpr%2F1").unwrap();
    assert_eq!(server.lines()[0], "HEAD /owner/tiny/resolve/refs%2Fpr%2F1/model.safetensors");
    let refs = folder.path().join("models--owner--tiny/refs");
    assert_eq!(fs::read_to_string(refs.join("refs/pr/1")).unwrap(), COMMIT);

    let asked = server.lines();
    fetch(&hub, &format!("hf://owner/tiny@{COMMIT}")).unwrap();
    assert_eq!(server.lines(), asked, "the commit is in the cache, under another name");
    fetch(&hub, "hf://owner/tiny").unwrap();
    let later = server.asked().split_off(asked.len());
    assert!(later.iter().all(|request| request.method == "HEAD"), "the same content came twice: {later:?}");
}

#[test]
fn a_cut_download_goes_on_where_it_ended() {
    let weights = weights();
    let asked = AtomicUsize::new(0);
    let server = Server::bent(&[(WEIGHTS, &weights)], move |request, reply| match request.is_to_store() {
        true if asked.fetch_add(1, Ordering::Relaxed) < 2 => reply.cut_after(100_000),
        _ => reply,
    });
    let (hub, _folder) = client(&server);
    let mut last = (0, 0);
    let path = hub.fetch(&remote("hf://owner/tiny"), &mut |done, total| last = (done, total)).unwrap();
    assert!(fs::read(path).unwrap() == weights);
    let ranges: Vec<_> = server.asked().iter().filter(|r| r.is_to_store()).map(|r| r.headers.get("range").cloned()).collect();
    assert_eq!(ranges, [None, Some("bytes=100000-".to_owned()), Some("bytes=200000-".to_owned())]);
    assert_eq!(last, (800_000, 800_000));
}

#[test]
fn a_server_without_ranges_sends_all_again() {
    let weights = weights();
    let (asked, all) = (AtomicUsize::new(0), weights.clone());
    let server = Server::bent(&[(WEIGHTS, &weights)], move |request, reply| match request.is_to_store() {
        true if asked.fetch_add(1, Ordering::Relaxed) == 0 => reply.cut_after(100_000),
        true => Reply::new("200 OK", &all),
        false => reply,
    });
    let (hub, _folder) = client(&server);
    assert!(fs::read(fetch(&hub, "hf://owner/tiny").unwrap()).unwrap() == weights);
}

#[test]
fn a_download_that_stays_cut_leaves_nothing_and_the_next_one_succeeds() {
    let weights = weights();
    let asked = AtomicUsize::new(0);
    let server = Server::bent(&[(WEIGHTS, &weights), CONFIG], move |request, reply| match request.is_to_store() {
        true if asked.fetch_add(1, Ordering::Relaxed) < 4 => reply.cut_after(1000),
        _ => reply,
    });
    let (hub, _folder) = client(&server);
    assert_fails(&hub, "hf://owner/tiny", &["/resolve/", "ended after 4000 of 800000 bytes, 4 times"]);
    assert!(fs::read(fetch(&hub, "hf://owner/tiny").unwrap()).unwrap() == weights);
}

#[test]
fn a_file_of_another_length_or_content_is_refused() {
    type Bend = fn(Reply) -> Reply;
    let bends: [(Bend, &str); 6] = [
        (|r| Reply::new("200 OK", &r.body[..1000]), "expected 800000 bytes as announced, found 1000"),
        (|r| Reply::new("200 OK", &[r.body, vec![0]].concat()), "expected 800000 bytes as announced, found 800001"),
        (|r| Reply::new("200 OK", &[r.body, vec![0]].concat()).chunked(), "expected 800000 bytes as announced, found 800001"),
        (|r| Reply::new("200 OK", &r.body[..1000]).chunked(), "ended after 1000 of 800000 bytes"),
        (|r| Reply::new("200 OK", &r.body[..1000]).without("Content-Length"), "ended after 1000 of 800000 bytes"),
        (|r| Reply::new("200 OK", &vec![0; r.body.len()]), "SHA-256"),
    ];
    for (bend, message) in bends {
        let server = Server::bent(&[(WEIGHTS, &weights()), CONFIG], move |request, reply| match request.is_to_store() {
            true => bend(reply),
            false => reply,
        });
        let (hub, _folder) = client(&server);
        assert_fails(&hub, "hf://owner/tiny", &[message]);
    }
}

#[test]
fn a_wrong_part_of_a_file_is_refused() {
    let server = Server::bent(&[(WEIGHTS, &weights())], |request, reply| match request.headers.get("range") {
        Some(_) => reply.with("Content-Range", "bytes 5-799999/800000"),
        None if request.is_to_store() => reply.cut_after(1000),
        None => reply,
    });
    let (hub, _folder) = client(&server);
    assert_fails(&hub, "hf://owner/tiny", &["206"]);
}

#[test]
fn a_refusal_says_what_to_do() {
    for (status, parts) in [
        ("401 Unauthorized", &["401 Unauthorized", "private or gated", "HF_TOKEN", "(the server's own words)"][..]),
        ("403 Forbidden", &["403 Forbidden", "private or gated", "HF_TOKEN"]),
        ("404 Not Found", &["no such file, revision or repository (404)"]),
        ("429 Too Many Requests", &["429"]),
        ("500 Internal Server Error", &["500 Internal Server Error"]),
    ] {
        let server = Server::bent(&[(WEIGHTS, b"weights")], move |_, _| {
            Reply::new(status, b"<html>").with("X-Error-Message", "the server's own words")
        });
        let (hub, _folder) = client(&server);
        let url = format!("{}/owner/tiny/resolve/main/model.safetensors: ", server.endpoint);
        assert_fails(&hub, "hf://owner/tiny", &[&[&url[..]], parts].concat());
    }
}

#[test]
fn whatever_is_no_hub_is_refused() {
    let page = |_: &Request, _| Reply::new("200 OK", b"<html>please log in to this network</html>").with("ETag", "\"1\"");
    let (hub, _folder) = client(&Server::bent(&[], page));
    assert_fails(&hub, "hf://owner/tiny", &["commit, etag and length", "HF_ENDPOINT"]);

    let circle = |request: &Request, _| Reply::new("307 Temporary Redirect", b"").with("Location", &request.path);
    let (hub, _folder) = client(&Server::bent(&[], circle));
    assert_fails(&hub, "hf://owner/tiny", &["redirects"]);

    for (header, value) in
        [("X-Linked-Etag", "../../../evil"), ("X-Linked-Etag", ".."), ("X-Repo-Commit", "../evil"), ("X-Linked-Size", "-1")]
    {
        let server = Server::bent(&[(WEIGHTS, b"weights")], move |_, reply| reply.with(header, value));
        let (hub, folder) = client(&server);
        assert_fails(&hub, "hf://owner/tiny", &["commit, etag and length"]);
        assert_eq!(files_in(folder.path()).len(), 0, "{header}: {value}");
    }
}

#[test]
fn a_dead_server_is_given_up() {
    let silent = Server::bent(&[(WEIGHTS, b"weights")], |_, reply| Reply { silence: 2 * PATIENCE, ..reply });
    let stalled = Server::bent(&[(WEIGHTS, &weights())], |_, reply| Reply { piece: 1000, pause: 2 * PATIENCE, ..reply });
    for (server, message) in [(silent, "no answer within 5s"), (stalled, "nothing came for 5s, after 1000 of 800000 bytes")] {
        let (mut hub, _folder) = client(&server);
        hub.patience = Duration::from_secs(5);
        let begun = Instant::now();
        assert_fails(&hub, "hf://owner/tiny", &[message]);
        assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    }

    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut hub = Hub::new(tempfile::tempdir().unwrap().path());
    hub.endpoint = format!("http://{closed}");
    assert_fails(&hub, "hf://owner/tiny", &[&closed.to_string(), "refused"]);
}

#[test]
fn a_slow_server_is_waited_for() {
    let weights = weights();
    let pause = Duration::from_millis(100);
    let server = Server::bent(&[(WEIGHTS, &weights)], move |_, reply| Reply { silence: pause, piece: 20_000, pause, ..reply });
    let (mut hub, _folder) = client(&server);
    hub.patience = 20 * pause;
    assert!(fs::read(fetch(&hub, "hf://owner/tiny").unwrap()).unwrap() == weights, "40 pauses, each much shorter than the patience");
}

#[test]
fn only_the_hub_sees_the_token() {
    let server = Server::new(&[(WEIGHTS, b"weights"), CONFIG]);
    let (hub, _folder) = client(&server);
    fetch(&hub.clone().with_token("hf_secret"), "hf://owner/tiny").unwrap();
    for request in server.asked() {
        let token = request.headers.get("authorization").map(String::as_str);
        assert_eq!(token, (!request.is_to_store()).then_some("Bearer hf_secret"), "{request:?}");
    }
    assert!(server.asked().iter().any(Request::is_to_store));

    let before = server.asked().len();
    fetch(&hub, "hf://owner/other").unwrap();
    assert!(server.asked()[before..].iter().all(|request| !request.headers.contains_key("authorization")));
}

#[test]
fn many_may_fetch_the_same_file_at_once() {
    let weights = weights();
    let server = Server::bent(&[(WEIGHTS, &weights), CONFIG], for_two_at_once());
    let (hub, folder) = client(&server);
    let paths: Vec<PathBuf> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| fetch(&hub, "hf://owner/tiny").unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(paths.iter().all(|path| *path == paths[0] && fs::read(path).unwrap() == weights));
    assert_eq!(files_in(folder.path()).len(), 5, "{:?}", files_in(folder.path()));
}

#[test]
fn what_ended_processes_left_is_removed() {
    let server = Server::new(&[(WEIGHTS, b"weights")]);
    let (hub, folder) = client(&server);
    let blobs = folder.path().join("models--owner--tiny/blobs");
    fs::create_dir_all(&blobs).unwrap();
    let old = SystemTime::now() - Duration::from_secs(2 * 60 * 60);
    let part = |name: &str, written: SystemTime| {
        let path = blobs.join(name);
        File::create(&path).unwrap().set_modified(written).unwrap();
        path
    };
    let etag = sha256(b"weights");
    let abandoned = part(&format!("{etag}.1-0.incomplete"), old);
    let under_way = part(&format!("{etag}.1-1.incomplete"), SystemTime::now());
    let of_another = part("0123.1-0.incomplete", old);
    fetch(&hub, "hf://owner/tiny").unwrap();
    assert_eq!([abandoned, under_way, of_another].map(|path| path.exists()), [false, true, true]);
}

#[test]
fn a_damaged_cache_is_mended() {
    let weights = weights();
    let server = Server::new(&[(WEIGHTS, &weights)]);
    let (hub, folder) = client(&server);
    fetch(&hub, "hf://owner/tiny").unwrap();
    fs::remove_dir_all(folder.path().join("models--owner--tiny/blobs")).unwrap();
    assert!(fs::read(fetch(&hub, "hf://owner/tiny").unwrap()).unwrap() == weights, "links to nothing");

    let server = Server::new(&[(WEIGHTS, &weights)]);
    let (hub, folder) = client(&server);
    let blob = folder.path().join("models--owner--tiny/blobs").join(sha256(&weights));
    fs::create_dir_all(blob.parent().unwrap()).unwrap();
    fs::write(&blob, &weights[..1000]).unwrap();
    assert!(fs::read(fetch(&hub, "hf://owner/tiny").unwrap()).unwrap() == weights, "a short blob of another program");
}

#[test]
fn a_cache_that_cannot_be_written_is_named() {
    let server = Server::new(&[(WEIGHTS, b"weights")]);
    let (hub, folder) = client(&server);
    let file = folder.path().join("file");
    fs::write(&file, "in the way").unwrap();
    let hub = hub.with_cache(file.clone());
    assert!(fetch(&hub, "hf://owner/tiny").unwrap_err().to_string().starts_with(file.to_str().unwrap()));
}

#[test]
fn addresses_are_read_and_written() {
    for (text, repository, revision, file) in [
        ("hf://owner/name", "owner/name", "main", None),
        ("hf://owner/name@v1.0", "owner/name", "v1.0", None),
        ("hf://owner/name/model.pt", "owner/name", "main", Some("model.pt")),
        ("hf://Owner-1/a_b.c@refs%2Fpr%2F1/sub/my model.pt", "Owner-1/a_b.c", "refs/pr/1", Some("sub/my model.pt")),
    ] {
        let remote = remote(text);
        let expected = Remote { repository: repository.into(), revision: revision.into(), file: file.map(Into::into) };
        assert_eq!(remote, expected);
        assert_eq!(remote.to_string(), text);
    }
    for text in [
        "owner/name",
        "hf://",
        "hf://owner",
        "hf://owner/",
        "hf:///name",
        "hf://../name",
        "hf://owner/..",
        "hf://owner/a--b",
        "hf://own er/name",
        "hf://owner/name@",
        "hf://owner/name@..",
        "hf://owner/name@a%2F..",
        "hf://owner/name/",
        "hf://owner/name/../../other",
        "hf://owner/name//etc/passwd",
        "hf://owner/name/c:\\windows",
        "hf://owner/name/line\nend",
    ] {
        let message = text.parse::<Remote>().unwrap_err().to_string();
        assert!(message.contains("hf://owner/repository[@revision][/file]") && message.contains(text), "{message}");
    }
    let made = Remote { file: Some("../../evil".into()), ..remote("hf://owner/name") };
    assert!(Hub::new("nowhere").fetch(&made, &mut |_, _| {}).is_err());
}

#[test]
fn every_published_model_has_an_address() {
    for name in models::published_names() {
        let model = models::published(name).unwrap();
        let address = Remote::from(model);
        address.check().unwrap();
        assert_eq!(address.to_string(), format!("hf://{}/{}", model.repository, model.file));
    }
}
