//! What signing in is given: there is no actor yet.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use model::tables::{Organization, SystemUser};
use model::{Query, Ref};
use rules::access::Principal;
use store::Store;

use crate::context::{Context, Origin, Random, Settings};
use crate::error::ActionError;
use crate::sign_in::Hasher;

/// Where somebody comes from, as far as it is known.
#[derive(Debug, Clone, Default)]
pub struct Visitor {
    pub address: Option<IpAddr>,
    pub agent: String,
}

impl Visitor {
    pub(crate) fn address_text(&self) -> String {
        self.address.map(|a| a.to_canonical().to_string()).unwrap_or_default()
    }

    /// What is shown and kept of the user agent.
    pub(crate) fn agent_text(&self) -> String {
        self.agent.chars().filter(|c| !c.is_control()).take(300).collect()
    }
}

/// What the installation's configuration says about signing in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Whether people may sign in with a password that is kept here.
    pub local: bool,
    /// A session ends when it was not used for so long,
    pub idle: SignedDuration,
    /// and after so long however much it is used.
    pub longest: SignedDuration,
}

impl Default for Policy {
    fn default() -> Self {
        Self { local: true, idle: SignedDuration::from_hours(8), longest: SignedDuration::from_hours(7 * 24) }
    }
}

#[derive(Debug, Clone)]
pub struct Entrance {
    pub store: Store,
    pub now: Timestamp,
    pub random: Random,
    pub settings: Settings,
    pub policy: Policy,
    pub hasher: Hasher,
    pub visitor: Visitor,
}

impl Entrance {
    /// For the audit trail.
    pub fn origin(&self) -> Origin {
        Origin {
            door: "sign-in",
            remote: self.visitor.address_text(),
            user_agent: self.visitor.agent_text(),
            ..Origin::default()
        }
    }

    /// What is done in the name of this user.
    pub(crate) fn as_user(&self, actor: SystemUser) -> Context {
        let principal = Principal::new(actor.id, actor.domain_name.clone());
        Context {
            store: self.store.clone(),
            actor,
            // Signing in asks for no privileges.
            principal: Arc::new(principal),
            behind: None,
            origin: self.origin(),
            now: self.now,
            random: self.random.clone(),
            settings: self.settings,
        }
    }

    /// What is done in nobody's name: in that of the service's own account.
    pub(crate) async fn as_system(&self) -> Result<Context, ActionError> {
        let organization = self.store.list::<Organization>(&Query::of::<Organization>().limit(1)).await?.pop();
        let system: Option<Ref> = organization.and_then(|o| o.system_user);
        let actor = match system {
            Some(system) => self.store.load::<SystemUser>(system.id).await?,
            None => None,
        };
        let actor = actor.ok_or_else(|| ActionError::Internal("the SYSTEM account is missing".into()))?;
        Ok(self.as_user(actor))
    }
}
