//! The Lease: one operator acts at a time, this one or the Go operator that it follows.
//!
//! The rules are those of client-go's leader election, whose holders this one must understand and
//! be understood by: whoever wants the Lease waits until the holder has not renewed it for its
//! whole duration, measured by one's own clock, and every write is guarded by the resource version.

use std::time::{Duration, Instant};

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use tracing::{info, warn};

/// Equal to the Go operator's, so that the two never act side by side.
const NAME: &str = "openclaw-operator.openclaw.rocks";
/// How long a Lease holds that is not renewed.
const DURATION: Duration = Duration::from_secs(15);
/// A holder that could not renew for so long stops acting, well before others may begin.
const RENEW_DEADLINE: Duration = Duration::from_secs(10);
/// Whoever stops does not wait longer for the answer that it is let go of.
pub(crate) const RELEASE_DEADLINE: Duration = Duration::from_secs(2);
/// Between two attempts to take or renew it.
const RETRY: Duration = Duration::from_secs(2);

/// Why the Lease is not ours any more.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Lost {
    /// Nobody can say whose it is.
    #[error("lost the Lease {NAME}: not renewed for {} s", RENEW_DEADLINE.as_secs())]
    NotRenewed,
    /// It is somebody else's.
    #[error("lost the Lease {NAME}: another one holds it")]
    Taken,
}

/// A candidate for the Lease, or its holder.
pub(crate) struct Leader {
    leases: Api<Lease>,
    identity: String,
    /// What was last seen of the Lease, and since when it has looked so.
    seen: Option<(LeaseSpec, Instant)>,
    /// When it was last asked for with success: others count from then at the latest.
    renewed: Instant,
}

impl Leader {
    pub(crate) fn new(client: Client, namespace: &str, identity: String) -> Self {
        Self {
            leases: Api::namespaced(client, namespace),
            identity,
            seen: None,
            renewed: Instant::now(),
        }
    }

    /// Waits until the Lease is ours.
    pub(crate) async fn acquire(&mut self) {
        info!(identity = self.identity, lease = NAME, "waiting for the Lease");
        while self.attempt().await != Some(true) {
            tokio::time::sleep(RETRY).await;
        }
        info!(identity = self.identity, lease = NAME, "the Lease is ours");
    }

    /// Keeps the Lease from the moment when it was got. Returns only when it is lost.
    pub(crate) async fn hold(&mut self) -> Lost {
        while self.renewed.elapsed() < RENEW_DEADLINE {
            tokio::time::sleep(RETRY).await;
            let left = RENEW_DEADLINE.saturating_sub(self.renewed.elapsed());
            if tokio::time::timeout(left, self.attempt()).await == Ok(Some(false)) {
                return Lost::Taken;
            }
        }
        Lost::NotRenewed
    }

    /// Lets go of the Lease, so that the next one need not wait. Only for one who no longer acts.
    pub(crate) async fn release(&mut self) {
        let released = async {
            let Some(mut lease) = self.leases.get_opt(NAME).await? else { return Ok(()) };
            let spec = lease.spec.get_or_insert_default();
            if spec.holder_identity.as_deref() == Some(self.identity.as_str()) {
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

    /// Takes or renews the Lease if that is allowed. Whether it is ours now, if anybody can say.
    async fn attempt(&mut self) -> Option<bool> {
        let before = Instant::now();
        match self.try_once().await {
            Ok(ours) => {
                if ours {
                    self.renewed = before;
                }
                Some(ours)
            }
            Err(error) => {
                warn!(lease = NAME, %error, "could not take or renew the Lease");
                None
            }
        }
    }

    async fn try_once(&mut self) -> Result<bool, kube::Error> {
        let now = MicroTime(jiff::Timestamp::now());
        let parameters = PostParams::default();
        let Some(mut lease) = self.leases.get_opt(NAME).await? else {
            let lease = Lease {
                metadata: ObjectMeta { name: Some(NAME.to_owned()), ..ObjectMeta::default() },
                spec: Some(self.taken(&LeaseSpec::default(), &now)),
            };
            self.leases.create(&parameters, &lease).await?;
            return Ok(true);
        };
        let spec = lease.spec.clone().unwrap_or_default();
        if !self.may_take(&spec) {
            return Ok(false);
        }
        lease.spec = Some(self.taken(&spec, &now));
        let stored = self.leases.replace(NAME, &parameters, &lease).await?;
        self.seen = Some((stored.spec.unwrap_or_default(), Instant::now()));
        Ok(true)
    }

    fn may_take(&mut self, spec: &LeaseSpec) -> bool {
        let since = match &self.seen {
            Some((seen, since)) if seen == spec => *since,
            Some(_) | None => {
                let now = Instant::now();
                self.seen = Some((spec.clone(), now));
                now
            }
        };
        let holder = spec.holder_identity.as_deref().unwrap_or_default();
        let seconds = spec.lease_duration_seconds.and_then(|it| u64::try_from(it).ok());
        let duration = seconds.map_or(DURATION, Duration::from_secs);
        holder.is_empty() || holder == self.identity || since.elapsed() >= duration
    }

    /// The Lease as ours.
    fn taken(&self, before: &LeaseSpec, now: &MicroTime) -> LeaseSpec {
        let stays = before.holder_identity.as_deref() == Some(self.identity.as_str());
        let transitions = before.lease_transitions.unwrap_or_default();
        let fresh = before.holder_identity.is_none() && before.acquire_time.is_none();
        LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(DURATION.as_secs()).ok(),
            acquire_time: if stays { before.acquire_time.clone() } else { Some(now.clone()) },
            renew_time: Some(now.clone()),
            lease_transitions: Some(transitions.saturating_add(i32::from(!stays && !fresh))),
            ..LeaseSpec::default()
        }
    }
}
