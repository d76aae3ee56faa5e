//! What lies in the cache: what is kept, found again, mended and removed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, SystemTime};

use crate::server::{COMMIT, CONFIG, Server, WEIGHTS, files_in, for_two_at_once, sha256};
use crate::{assert_fails, client, fetch, remote, weights};

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
