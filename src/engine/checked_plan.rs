//! Plans of tiles that are right on the device: what is not known to be is checked first.

use std::collections::BTreeMap;

use super::check::{Check, label};
use super::lock;
use super::shared::Shared;
use crate::error::{Error, Result};
use crate::gpu::Fault;
use crate::kernels::{Convolution, Tile, Tuning, Variant};
use crate::plan::Plan;

/// A tile of which nothing is known yet.
struct Doubtful {
    tile: Tile,
    convolution: Convolution,
    variant: Variant,
}

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
        let mut doubtful: BTreeMap<String, Doubtful> = BTreeMap::new();
        let mut wrong = BTreeMap::new();
        {
            let verdicts = self.gpu.verdicts();
            for (step, (tile, convolution)) in plan.steps().iter().filter_map(|step| Some((step, step.tile?))) {
                let label = label(step, &convolution, &self.pipelines);
                match verdicts.of(&label) {
                    Some(Ok(())) => {}
                    Some(Err(fault)) => drop(wrong.insert(tile, fault)),
                    None => drop(doubtful.insert(label, Doubtful { tile, convolution, variant: step.kernel.variant.clone() })),
                }
            }
        }
        if doubtful.is_empty() {
            return Ok(wrong);
        }
        // What may have ended a process comes alone: it takes no others with it.
        let (suspects, others): (Vec<_>, Vec<_>) = doubtful.into_iter().partition(|(label, _)| self.gpu.verdicts().is_suspect(label));
        for together in std::iter::once(others).chain(suspects.into_iter().map(|suspect| vec![suspect])) {
            let labels = || together.iter().map(|(label, _)| label.as_str());
            self.gpu.verdicts().begin(labels());
            match self.check(&together).await {
                Ok(found) => wrong.extend(found),
                Err(error) => {
                    self.gpu.verdicts().give_up(labels());
                    return Err(error);
                }
            }
        }
        Ok(wrong)
    }

    /// Checks tiles at the same time, and notes what is found. Those that are wrong.
    async fn check(&self, together: &[(String, Doubtful)]) -> Result<Vec<(Tile, Fault)>> {
        // On every core; what fails to compile fails again below, alone.
        let _ = self.pipelines.build(&self.gpu, together.iter().map(|(_, doubtful)| &doubtful.variant)).await;
        let mut checks = Vec::new();
        for (_, Doubtful { tile, convolution, .. }) in together {
            checks.push(Check::start(&self.gpu, &self.pipelines, *tile, convolution).await?);
        }
        let mut wrong = Vec::new();
        for ((label, Doubtful { tile, .. }), check) in together.iter().zip(checks) {
            let found = match check {
                Ok(check) => check.end(&self.gpu).await?,
                Err(fault) => Err(fault),
            };
            wrong.extend(found.as_ref().err().map(|fault| (*tile, fault.clone())));
            self.gpu.verdicts().end(label, found);
        }
        Ok(wrong)
    }
}
