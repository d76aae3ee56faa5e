//! Transfers: which file comes, cut ones that go on, and wrong content.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::server::{COMMIT, CONFIG, Reply, Server, WEIGHTS};
use crate::{assert_fails, client, fetch, remote, weights};

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
