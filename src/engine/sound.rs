//! Plans of tiles that are right on the device: what is not known to be is tried first.

use std::collections::BTreeMap;

use super::fault::Fault;
use super::shared::Shared;
use super::{check, lock};
use crate::error::{Error, Result};
use crate::kernels::{Convolution, Tile, Tuning, Variant};
use crate::plan::Plan;

impl Shared {
    /// A plan of tiles that are right on this device, chosen by `tuning`. Those that are not are excluded from now on, and
    /// others take their place.
    pub(super) async fn checked_plan(&self, mut tuning: Tuning, batch: usize, size: [usize; 2]) -> Result<Plan> {
        loop {
            let plan = self.plan(&tuning, batch, size).map_err(|error| self.with_faults(error))?;
            let wrong = self.faults_of(&plan).await?;
            if wrong.is_empty() {
                return Ok(plan);
            }
            {
                let mut shared = lock(&self.tuning);
                *shared = shared.clone().excluding(wrong.keys().copied());
            }
            tuning = tuning.excluding(wrong.keys().copied());
            lock(&self.faults).extend(wrong);
        }
    }

    /// The same error, with why there is no kernel where that is the matter.
    fn with_faults(&self, error: Error) -> Error {
        match error {
            Error::NoKernel { layer, .. } => {
                let faults = lock(&self.faults).iter().map(|(tile, fault)| format!("{tile} {fault}")).collect();
                Error::NoKernel { layer, faults }
            }
            other => other,
        }
    }

    /// What is wrong on this device with tiles of the plan; those of which nothing is known are checked. Errors where the
    /// device is gone or has no memory left, which says nothing about a tile.
    async fn faults_of(&self, plan: &Plan) -> Result<BTreeMap<Tile, Fault>> {
        let mut doubtful: BTreeMap<String, (Tile, Convolution, Variant)> = BTreeMap::new();
        let mut wrong = BTreeMap::new();
        let mut unsuspected: Vec<String> = Vec::new();
        {
            let verdicts = lock(&self.verdicts);
            for (step, &(tile, convolution)) in plan.steps().iter().filter_map(|step| Some((step, step.tile.as_ref()?))) {
                let checks = if self.pipelines.has_checks() { " with checks" } else { "" };
                let prologue = if convolution.prologue.is_some() { " after norm" } else { "" };
                let label = format!("{}{checks}, {}{prologue}", step.kernel.variant, convolution.window);
                match verdicts.of(&label) {
                    Some(Ok(())) => {}
                    Some(Err(fault)) => drop(wrong.insert(tile, fault)),
                    None => drop(doubtful.insert(label, (tile, convolution, step.kernel.variant.clone()))),
                }
            }
            unsuspected.extend(doubtful.keys().filter(|label| !verdicts.is_suspect(label)).cloned());
        }
        if doubtful.is_empty() {
            return Ok(wrong);
        }
        // All at once, on every core; what fails to compile fails again below, alone. What may have ended a process is left
        // for then: it takes no others with it.
        let labels = || unsuspected.iter().map(String::as_str);
        lock(&self.verdicts).begin(labels());
        let _ = self.pipelines.build(&self.gpu, unsuspected.iter().map(|label| &doubtful[label].2)).await;
        lock(&self.verdicts).give_up(labels());
        for (label, (tile, convolution, _)) in &doubtful {
            lock(&self.verdicts).begin(std::iter::once(label.as_str()));
            match check::check(&self.gpu, &self.pipelines, *tile, convolution).await {
                Ok(found) => {
                    wrong.extend(found.as_ref().err().map(|fault| (*tile, fault.clone())));
                    lock(&self.verdicts).end(label, found);
                }
                Err(error) => {
                    lock(&self.verdicts).give_up(std::iter::once(label.as_str()));
                    return Err(error);
                }
            }
        }
        Ok(wrong)
    }
}
