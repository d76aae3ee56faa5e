//! Addresses, as text and of published models.

use densenet_wgpu::hub::{Hub, Remote};
use densenet_wgpu::models;

use crate::remote;

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
