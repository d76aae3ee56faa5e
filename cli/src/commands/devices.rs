//! `densenet devices`: lists the adapters.

use std::fmt::Write;

use clap::Args;
use densenet_wgpu::devices::AdapterSummary;
use densenet_wgpu::{Error, Gpu};
use serde::Serialize;

use crate::exit::{REFUSED, SUCCESS, Stop};
use crate::message;
use crate::output::{Output, ReportFormat};
use crate::remedy::explained;
use crate::terminal::paint::{HEADING, paint};

/// List the adapters that networks can run on, with their limits and features
#[derive(Args)]
#[command(after_help = "\
Examples:
  densenet devices

  # machine-readable
  densenet devices --format json")]
pub(crate) struct Options {
    /// Output format
    #[arg(long, short, value_enum, default_value_t = ReportFormat::Text, help_heading = "Output")]
    format: ReportFormat,
}

/// The JSON report.
#[derive(Serialize)]
struct Report {
    devices: Vec<AdapterSummary>,
}

/// Prints the adapters.
pub(crate) fn run(options: Options) -> Result<u8, Stop> {
    let report = Report { devices: Gpu::adapters() };
    let mut output = Output::new();
    match options.format {
        ReportFormat::Json => output.json(&report)?,
        ReportFormat::Text => output.text(&text(&report.devices))?,
    }
    if report.devices.is_empty() {
        message::error(&explained(&Error::NoAdapter));
        return Ok(REFUSED);
    }
    Ok(SUCCESS)
}

fn text(devices: &[AdapterSummary]) -> String {
    let mut text = String::new();
    for device in devices {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "{}", paint(HEADING, &format!("{}: {}", device.index, device.name)));
        let width = device.limits.iter().map(|(name, _)| name.len()).max().unwrap_or(0).max("features".len());
        let address = device.pci_address.as_deref().map(|address| ("PCI address", address));
        let said = [("backend", &*device.backend), ("kind", &device.kind), ("driver", &device.driver)];
        for (name, value) in said.into_iter().chain(address) {
            let _ = writeln!(text, "   {name:<width$}  {value}");
        }
        let _ = writeln!(text, "   {:<width$}  {}", "features", device.features.join(", "));
        for (name, value) in &device.limits {
            let _ = writeln!(text, "   {name:<width$}  {value}");
        }
    }
    text
}
