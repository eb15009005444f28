//! What is said to people of an endpoint: how it can be narrowed, and what reading it takes.

use crate::{Endpoint, KeyRequest, Source};

impl Endpoint {
    /// What a condition on a column becomes in a request, in words; none where it becomes
    /// nothing, and is applied to the rows that come.
    ///
    /// ```
    /// let contacts = ctct_endpoints::find("contacts").expect("declared");
    /// assert_eq!(contacts.pushed_to("updated_at").as_deref(), Some("updated_after, updated_before"));
    /// assert_eq!(contacts.pushed_to("contact_id").as_deref(), Some("the path"));
    /// assert_eq!(contacts.pushed_to("last_name"), None);
    /// ```
    pub fn pushed_to(&self, column: &str) -> Option<String> {
        let mut places = Vec::new();
        if let Some(parent) = self.parent.filter(|_| self.is_key_of_parent(column)) {
            places.push(parent.parameter.unwrap_or("the path").to_owned());
        }
        if let Some(period) = self.period.filter(|_| self.is_of_period(column)) {
            let bound = if period.from == column { period.start } else { period.end };
            places.push(bound.to_owned());
        }
        if let Some(range) = self.range(column) {
            places.push(format!("{}, {}", range.after, range.before));
        }
        for binding in self.keys.iter().filter(|binding| binding.column == column) {
            let place = binding.request.parameter().unwrap_or("the path");
            let most = match binding.request {
                KeyRequest::List { maximum, .. } => format!(" (at most {maximum})"),
                _ => String::new(),
            };
            places.push(format!("{place}{most}"));
        }
        if self.order.is_some_and(|order| order.column == column) {
            places.push("the last page that is read".to_owned());
        }
        (!places.is_empty()).then(|| places.join("; "))
    }

    /// How many requests reading the table takes, in words.
    ///
    /// ```
    /// let cost = |table| ctct_endpoints::find(table).expect("declared").cost();
    /// assert_eq!(cost("contacts"), "1 per 500 contacts");
    /// assert_eq!(cost("email_campaigns"), "1 per 500 rows");
    /// assert_eq!(cost("account_summary"), "1");
    /// assert_eq!(
    ///     cost("email_opens"),
    ///     "1 per campaign_activity_id of email_campaign_activities and 500 rows"
    /// );
    /// assert_eq!(cost("email_campaign_stats"), "1 per 150 campaign_id of email_campaigns");
    /// ```
    pub fn cost(&self) -> String {
        let cost = match (self.parent, self.paging.maximum()) {
            (Some(parent), rows) => {
                let key: Vec<&str> = parent.columns().collect();
                let several = match parent.keys_at_once {
                    1 => String::new(),
                    several => format!("{several} "),
                };
                let rows = rows.map(|rows| format!(" and {rows} rows")).unwrap_or_default();
                format!("1 per {several}{} of {}{rows}", key.join(", "), parent.table)
            }
            // Of what the path is of: the rows of some are members of lists in them.
            (None, Some(rows))
                if self.list.is_some() || self.path.strip_prefix('/') == Some(self.table) =>
            {
                format!("1 per {rows} {}", self.path.trim_start_matches('/').replace('_', " "))
            }
            (None, Some(rows)) => format!("1 per {rows} rows"),
            (None, None) => "1".to_owned(),
        };
        let details = self.fields.iter().filter(|field| field.source == Source::Detail);
        let details: Vec<&str> = details.map(|field| field.name).collect();
        match details.as_slice() {
            [] => cost,
            columns => format!("{cost}, and 1 per row with {}", columns.join(", ")),
        }
    }
}
