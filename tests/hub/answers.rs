//! Servers that refuse, are no hub, are slow or dead, and who sees the token.

use std::fs;
use std::time::{Duration, Instant};

use densenet_wgpu::hub::Hub;

use crate::server::{CONFIG, PATIENCE, Reply, Request, Server, WEIGHTS, files_in};
use crate::{assert_fails, client, fetch, weights};

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
