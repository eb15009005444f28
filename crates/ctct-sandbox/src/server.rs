//! A sandbox that runs: its address, its data, and the end of it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::serve::ListenerExt;
use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::account::{Change, Collection, social, value};
use crate::api::{self, Service};
use crate::{Clock, Fault, LoggedRequest, Settings, oauth};

/// A running sandbox; dropping it stops it.
#[derive(Debug)]
pub struct Sandbox {
    address: SocketAddr,
    service: Arc<Service>,
    /// Dropping the sender ends the server.
    _running: oneshot::Sender<()>,
}

impl Sandbox {
    /// Starts a sandbox in the current runtime; it answers when this returns.
    ///
    /// # Errors
    /// Where the address cannot be listened on.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn start(settings: Settings) -> io::Result<Self> {
        let listener = TcpListener::bind(settings.address).await?;
        let address = listener.local_addr()?;
        let service = Arc::new(Service::new(&settings));
        // Set here alone, so it cannot be set already.
        let _ = service.address.set(address);
        let router = api::router(Arc::clone(&service));
        let (running, stopped) = oneshot::channel::<()>();
        let listener = listener.tap_io(|stream| {
            // Small answers must not wait for large ones' acknowledgement. A stream
            // that cannot do this is slower, not wrong.
            drop(stream.set_nodelay(true));
        });
        let server = axum::serve(listener, router).with_graceful_shutdown(async {
            drop(stopped.await);
        });
        // The task ends by itself soon after the handle is dropped.
        drop(tokio::runtime::Handle::current().spawn(async { server.await }));
        Ok(Self { address, service, _running: running })
    }

    /// Where the sandbox listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base of the API, such as `http://127.0.0.1:8080/v3`.
    pub fn base_url(&self) -> String {
        format!("http://{}/v3", self.address)
    }

    /// The base of the authorization server, such as
    /// `http://127.0.0.1:8080/oauth2/default/v1`.
    pub fn auth_url(&self) -> String {
        format!("http://{}{}", self.address, oauth::PATH)
    }

    /// Ends all tokens that logins gave, as the account's owner can in its settings.
    pub fn revoke_tokens(&self) {
        self.service.oauth.revoke();
    }

    /// Ends all access tokens that logins gave; their refresh tokens stay good.
    pub fn expire_access_tokens(&self) {
        self.service.oauth.expire_access_tokens();
    }

    /// The sandbox's time.
    pub fn now(&self) -> DateTime<Utc> {
        self.service.clock.now()
    }

    /// The sandbox's clock, to move it.
    pub fn clock(&self) -> &Clock {
        &self.service.clock
    }

    /// The requests so far, the oldest first.
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.service.log.all()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.service.log.clear();
    }

    /// Lets something happen to the account's contacts; whether there is such a contact.
    pub fn change(&self, change: &Change) -> bool {
        self.service.change(change)
    }

    /// Lets something go wrong for coming requests.
    pub fn inject(&self, fault: Fault) {
        self.service.faults.push(fault);
    }

    /// Requests of the current day, refusals because a second was too full, and the most
    /// requests that one second saw.
    pub fn traffic(&self) -> (u32, u32, u32) {
        self.service.counts.seen()
    }

    /// The account's own data as the API would show it with everything included, read
    /// without the API: what a complete reader must end up with.
    pub fn rows(&self, collection: Collection) -> Vec<Value> {
        let account = &self.service.account;
        match collection {
            Collection::Contacts => account.contact_values(false).collect(),
            Collection::DeletedContacts => account.contact_values(true).collect(),
            Collection::ContactLists => api::list_values(&self.service, "email", false),
            Collection::SmsLists => api::list_values(&self.service, "sms", false),
            Collection::DeletedContactLists => api::list_values(&self.service, "email", true),
            Collection::ContactTags => api::tag_values(&self.service),
            Collection::Segments => api::segment_values(&self.service),
            Collection::CustomFields => account.custom_fields.iter().map(value).collect(),
            Collection::EmailCampaigns => {
                account.campaigns().iter().map(|campaign| value(&campaign.row(false))).collect()
            }
            Collection::EmailCampaignDetails => {
                account.campaigns().iter().map(|campaign| value(&campaign.row(true))).collect()
            }
            Collection::EmailReport(path) => api::report_values(account, path),
            Collection::EmailLinks => api::link_values(account),
            Collection::ContactCounts => vec![api::count_values(&self.service)],
            Collection::AccountEmails => api::account_emails(account),
            Collection::AccountPhysicalAddress => {
                vec![value(&account.organization())["physical_address"].clone()]
            }
            Collection::UserPrivileges => api::privilege_values(),
            Collection::EmailCampaignStats => api::stats_values(account),
            Collection::EmailActivityStats => api::activity_stats_values(account),
            Collection::EmailActivities => api::activity_values(account),
            Collection::EmailActivityPart(name) => api::part_values(account, name),
            Collection::ContactActivity => api::deed_values(&self.service),
            Collection::ContactActivitySummary => api::summary_values(&self.service),
            Collection::ContactOpenAndClickRates => api::rate_values(&self.service),
            Collection::SmsEngagementHistory => api::sms_history_values(&self.service),
            Collection::LandingPageReport(path) => api::landing_page_values(account, path),
            Collection::SmsCampaignSummaries => {
                account.sms_summaries().into_iter().map(|(_, row)| row).collect()
            }
            Collection::Events => api::event_values(&self.service, false),
            Collection::EventDetails => api::event_values(&self.service, true),
            Collection::EventRegistrations => api::registration_values(&self.service, false),
            Collection::EventRegistrationDetails => api::registration_values(&self.service, true),
            Collection::Automations => {
                account.automations().into_iter().map(|(row, _)| row).collect()
            }
            Collection::AutomationDetails => {
                account.automations().into_iter().map(|(_, details)| details).collect()
            }
            Collection::SocialProfiles => social::social_profiles(),
            Collection::SocialConnections => social::social_connections(),
            Collection::SocialHashtagGroups => social::hashtag_groups(),
            Collection::Activities => account.jobs(),
            Collection::SegmentContacts => api::segment_contact_values(&self.service),
            Collection::EmailCampaignSummaries => account.summaries().iter().map(value).collect(),
            Collection::AccountSummary => vec![value(&account.organization())],
        }
    }
}
