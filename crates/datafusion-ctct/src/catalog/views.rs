//! The schema `views`: saved questions over the tables of the connection in use.

use std::fmt;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::common::{Result, internal_datafusion_err};
use datafusion::datasource::{TableType, ViewTable};
use datafusion::execution::SessionState;

/// A saved question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// The view's name.
    pub name: &'static str,
    /// A line that says what it shows, and its query.
    pub sql: &'static str,
}

macro_rules! views {
    ($($name:literal),* $(,)?) => {
        &[$(View {
            name: $name,
            sql: include_str!(concat!("../../../../sql/views/", $name, ".sql")),
        }),*]
    };
}

/// The views that every session has.
pub const VIEWS: &[View] = views![
    "campaign_league",
    "click_map",
    "cohort_retention",
    "contact_engagement",
    "domain_deliverability",
    "list_growth",
    "list_health",
    "send_times",
    "unengaged_contacts",
];

impl View {
    /// What it shows, in one sentence.
    pub fn description(&self) -> &'static str {
        self.sql.lines().next().unwrap_or_default().trim_start_matches("-- ")
    }
}

/// The views of a session.
///
/// Each is planned when it is read, by the session that it belongs to: its tables are those
/// of the connection that is the default then.
#[derive(Default)]
pub struct ViewSchema {
    session: OnceLock<Box<Session>>,
}

/// The state that a session has by now; none once it has ended.
type Session = dyn Fn() -> Option<SessionState> + Send + Sync;

impl ViewSchema {
    /// Names the session that plans the views. The first one stays.
    pub(crate) fn plan_with(
        &self,
        session: impl Fn() -> Option<SessionState> + Send + Sync + 'static,
    ) {
        drop(self.session.set(Box::new(session)));
    }
}

impl fmt::Debug for ViewSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ViewSchema").field("views", &self.table_names()).finish()
    }
}

#[async_trait]
impl SchemaProvider for ViewSchema {
    fn table_names(&self) -> Vec<String> {
        VIEWS.iter().map(|view| view.name.to_owned()).collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let Some(view) = VIEWS.iter().find(|view| view.name == name) else { return Ok(None) };
        let state = self.session.get().and_then(|session| session());
        let state = state.ok_or_else(|| internal_datafusion_err!("the session has ended"))?;
        let plan = state.create_logical_plan(view.sql).await?;
        Ok(Some(Arc::new(ViewTable::new(plan, Some(view.sql.to_owned())))))
    }

    async fn table_type(&self, name: &str) -> Result<Option<TableType>> {
        Ok(self.table_exist(name).then_some(TableType::View))
    }

    fn table_exist(&self, name: &str) -> bool {
        VIEWS.iter().any(|view| view.name == name)
    }
}
