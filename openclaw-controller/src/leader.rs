//! The Lease: one operator acts at a time, this one or the Go operator that it follows.

mod election;

use std::time::{Duration, Instant};

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use tracing::{info, warn};

use election::{Election, Timing};

/// Equal to the Go operator's, so that the two never act side by side.
const NAME: &str = "openclaw-operator.openclaw.rocks";
/// Those of the Go operator, which waits by what it finds in the Lease.
const TIMING: Timing = Timing {
    duration: Duration::from_secs(15),
    renew_deadline: Duration::from_secs(10),
    retry: Duration::from_secs(2),
};
/// Whoever stops does not wait longer for the answer that it is let go of.
pub(crate) const RELEASE_DEADLINE: Duration = Duration::from_secs(2);

/// Why the Lease is not ours any more.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Lost {
    /// Nobody can say whose it is.
    #[error("lost the Lease {NAME}: not renewed for {} s", TIMING.renew_deadline.as_secs())]
    NotRenewed,
    /// It is somebody else's.
    #[error("lost the Lease {NAME}: another one holds it")]
    Taken,
}

/// A candidate for the Lease, or its holder.
pub(crate) struct Leader {
    leases: Api<Lease>,
    election: Election,
}

impl Leader {
    pub(crate) fn new(client: Client, namespace: &str, identity: String) -> Self {
        Self {
            leases: Api::namespaced(client, namespace),
            election: Election::new(identity, TIMING),
        }
    }

    /// Waits until the Lease is ours.
    pub(crate) async fn acquire(&mut self) {
        info!(identity = self.election.identity(), lease = NAME, "waiting for the Lease");
        while self.attempt().await != Some(true) {
            tokio::time::sleep(TIMING.retry).await;
        }
        info!(identity = self.election.identity(), lease = NAME, "the Lease is ours");
    }

    /// Keeps the Lease from the moment when it was got. Returns only when it is lost.
    pub(crate) async fn hold(&mut self) -> Lost {
        while !self.left().is_zero() {
            tokio::time::sleep(TIMING.retry.min(self.left())).await;
            if tokio::time::timeout(self.left(), self.attempt()).await == Ok(Some(false)) {
                return Lost::Taken;
            }
        }
        Lost::NotRenewed
    }

    fn left(&self) -> Duration {
        self.election.left(Instant::now())
    }

    /// Lets go of the Lease, so that the next one need not wait. Call only after all passes have ended.
    pub(crate) async fn release(&mut self) {
        let released = async {
            let Some(mut lease) = self.leases.get_opt(NAME).await? else { return Ok(()) };
            let spec = lease.spec.get_or_insert_default();
            if spec.holder_identity.as_deref() == Some(self.election.identity()) {
                spec.holder_identity = None;
                spec.lease_duration_seconds = Some(1);
                self.leases.replace(NAME, &PostParams::default(), &lease).await?;
            }
            Ok::<(), kube::Error>(())
        };
        match tokio::time::timeout(RELEASE_DEADLINE, released).await {
            Ok(Ok(())) => info!(lease = NAME, "let go of the Lease"),
            Ok(Err(error)) => warn!(lease = NAME, %error, "could not let go of the Lease"),
            Err(_) => warn!(lease = NAME, "could not let go of the Lease in time"),
        }
    }

    /// Takes or renews the Lease if that is allowed. Returns whether it is ours now, if the API server
    /// says.
    async fn attempt(&mut self) -> Option<bool> {
        match self.try_once().await {
            Ok(ours) => Some(ours),
            Err(error) => {
                warn!(lease = NAME, %error, "could not take or renew the Lease");
                None
            }
        }
    }

    async fn try_once(&mut self) -> Result<bool, kube::Error> {
        let asked = Instant::now();
        let lease = self.leases.get_opt(NAME).await?;
        let found = lease.as_ref().map(|lease| lease.spec.clone().unwrap_or_default());
        let wall_clock = MicroTime(jiff::Timestamp::now());
        let Some(bid) = self.election.bid(found.as_ref(), Instant::now(), &wall_clock) else {
            return Ok(false);
        };
        let parameters = PostParams::default();
        let stored = if let Some(lease) = lease {
            // Its resource version is the guard.
            let lease = Lease { spec: Some(bid), ..lease };
            self.leases.replace(NAME, &parameters, &lease).await?
        } else {
            let metadata = ObjectMeta { name: Some(NAME.to_owned()), ..ObjectMeta::default() };
            let lease = Lease { metadata, spec: Some(bid) };
            self.leases.create(&parameters, &lease).await?
        };
        self.election.won(stored.spec.unwrap_or_default(), asked, Instant::now());
        Ok(true)
    }
}
