//! `evaluate --report`: a page that needs nothing but itself.

use std::fs;

use crate::evaluate::{digits, evaluate, put};
use crate::{assert_refused, assert_says, folder};

#[test]
fn a_report_is_one_page_and_its_plots() {
    let folder = folder();
    let (root, report) = (folder.path().join("in"), folder.path().join("new/report"));
    digits(&root, &[3, 8]);
    put("5-1440-8.png", &root.join("3/wrong & <b>.png"));
    assert_says(&evaluate(&[root.to_str().unwrap(), "--report", report.to_str().unwrap()]), 0, &["report.html"]);
    let mut names: Vec<String> = fs::read_dir(&report).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["confusion.svg", "precision-recall.svg", "reliability.svg", "report.html", "roc.svg"]);
    let page = fs::read_to_string(report.join("report.html")).unwrap();
    for outside in ["http:", "https:", "src=\"/", "<script", "<link", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert_eq!(page.matches("<svg ").count(), 4);
    // The picture, and its heatmap.
    assert_eq!(page.matches("src=\"data:image/png;base64,").count(), 2, "one mistake");
    assert!(page.contains("3, taken for 5: ") && page.contains("wrong &amp; &lt;b&gt;.png") && !page.contains("<b>.png"));
}

#[test]
fn a_report_of_merged_parts_has_pictures_without_heatmaps() {
    let folder = folder();
    let (root, file, report) = (folder.path().join("in"), folder.path().join("p.csv"), folder.path().join("report"));
    digits(&root, &[3]);
    put("5-1440-8.png", &root.join("3/wrong.png"));
    put("5-1447-8.png", &root.join("3/gone.png"));
    assert_says(&evaluate(&[root.to_str().unwrap(), "--predictions", file.to_str().unwrap()]), 0, &[]);
    fs::remove_file(root.join("3/gone.png")).unwrap();
    let mut command = crate::densenet();
    let output = command.args(["evaluate", "--merge"]).arg(&file).arg("--report").arg(&report).output().unwrap();
    assert_says(&output, 0, &["gone.png: it is not shown in the report"]);
    let page = fs::read_to_string(report.join("report.html")).unwrap();
    assert_eq!(page.matches("data:image/png").count(), 1);
    assert!(page.contains("gone.png"));
}

#[test]
fn a_folder_that_cannot_be_written_is_refused_before_anything_runs() {
    let folder = folder();
    digits(folder.path(), &[0]);
    let output = evaluate(&[folder.path().to_str().unwrap(), "--report", "README.md"]);
    assert_refused(&output, &["--report README.md: expected a folder to write to"]);
}
